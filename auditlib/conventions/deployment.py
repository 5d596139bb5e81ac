"""How a repository shows where and how it is deployed: orchestrators, platforms, other CI systems, documents.

Sources: the file names that each tool looks for by default, from its documentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from auditlib import stages
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.delivery import Command, Job, Pair, Script, Step
from auditlib.inventory.document import Document, Heading, Mention
from auditlib.model import Location, Related
from auditlib.patterns import regex

_ORCHESTRATOR_FILE = regex(
    r"(?:^|/)(?:Chart\.ya?ml|kustomization\.ya?ml|helmfile\.ya?ml|skaffold\.ya?ml|Pulumi\.ya?ml|cdk\.json|fly\.toml|"
    r"render\.ya?ml|app\.ya?ml|Procfile|nomad\.hcl|ecs-params\.ya?ml|serverless\.ya?ml|netlify\.toml|railway\.(?:json|toml)|"
    r"vercel\.json|copilot/.+|captain-definition|\.do/app\.ya?ml|azure\.ya?ml|zeabur\.json|nixpacks\.toml|dokku\S*)$|"
    r"\.(?:tf|nomad|bicep)$|(?:^|/)(?:k8s|kubernetes|kube|manifests|helm|charts|deploy/k8s|terraform|ansible|pulumi|nomad)/.+\.(?:ya?ml|tpl|tf|json)$"
)
_ORCHESTRATOR_COMMAND = regex(
    r"\b(?:kubectl|helm|kustomize|terraform|pulumi|nomad|ansible-playbook|docker stack deploy|docker service|flyctl|"
    r"fly deploy|"
    r"gcloud run|gcloud app|aws ecs|eb deploy|heroku|railway up|vercel|wrangler|cdk deploy|serverless deploy|"
    r"sls deploy|"
    r"az containerapp|az webapp|doctl apps|kamal|dokku|cap \w+ deploy|fastapi deploy|skaffold)\b"
)
_ORCHESTRATOR_ACTION = regex(
    r"amazon-ecs-deploy|deploy-cloudrun|webapps-deploy|k8s-deploy|helm-|setup-kubectl|kubectl|flyctl|railway|vercel|"
    r"heroku|cloud-run|azure/aks|setup-helm|container-apps-deploy|app_action|wrangler-action|superfly",
    re.I,
)
_MODULES = frozenset({".py", ".js", ".mjs", ".cjs", ".ts", ".rb"})
_DOES_ELSE = regex(
    r"(?:backup|restore|stop|status|logs?|clean(?:up)?|rollback|monitor|health|check|test)(?:[_.-]|$)", re.I
)
"""Names of scripts that do something else, in whatever folder they are."""
_LOOKS = regex(
    r"^(?:command|which|type|hash|log_?\w*|info|warn|error)\s|\s--dry-run\b|"
    r"^(?:terraform|helm|kubectl|pulumi)\s(?:-\S+\s){0,5}(?:fmt|validate|lint|version|template|kubeconform)\b"
)
"""A command that only asks for an orchestrator's program, speaks of it, or checks what would be deployed."""
_PREPARES_ACTION = regex(r"/setup-", re.I)
_OTHER_CI = regex(
    r"^(?:\.gitlab-ci\.ya?ml|(?:.*/)?(?:[\w.-]+\.)?[Jj]enkinsfile\S*|\.circleci/config\.ya?ml|azure-pipelines\.ya?ml|\.travis\.ya?ml|"
    r"bitbucket-pipelines\.ya?ml|\.drone\.ya?ml|\.woodpecker(?:/.+)?(?:\.ya?ml)|\.buildkite/.+|appveyor\.ya?ml|"
    r"cloudbuild\.ya?ml|\.teamcity/.+|\.(?:gitea|forgejo)/workflows/.+|buildspec\.ya?ml|\.cirrus\.ya?ml|\.tekton/.+|tox-ci\.ya?ml)$"
)
_WORKFLOW = regex(r"\.(?:github|forgejo|gitea)/workflows/[^/]+\.ya?ml$")
_GUIDE = regex(
    r"\b(?:deploy(?:ment|ing|s|ed)?|production|roll-?outs?|releas(?:e|ing) process|self-?hosting|self-?hosted|go-?live|"
    r"install(?:ation|ing)?|hosting|operations|"
    r"bereitstellung|inbetriebnahme|ausrollen|betrieb|installation|"
    r"d[ée]ploiement|mise en production|despliegue|producci[oó]n|implanta[cç][aã]o|produ[cç][aã]o|"
    r"wdro[żz]enie|distribuzione|rilascio|instalaci[oó]n|instala[cç][aã]o|installazione|instalacja|kurulum)\b|"
    r"развертывани|развёртывани|установк|депло[йя]|продакшн|розгортанн|部署|安装|デプロイ|インストール|배포|설치",
    re.I,
)
_OPERATION = regex(
    r"\bhow to (?:run|start|stop|operate|upgrade|update|solve|fix|restore|debug)\b|\bwhere is .{1,40} running\b|"
    r"\b(?:running|starting|stopping|operating|upgrading) (?:it|the (?:app\w*|stack|system|servers?|platform))|"
    r"\btroubleshooting\b|\brunbooks?\b|\bhandbook\b|fehlerbehebung|fehlersuche|\bd[ée]pannage\b|"
    r"\bsoluci[oó]n de problemas\b",
    re.I,
)
"""Headings on running and mending what is there, which say nothing of how it gets there."""
_PLATFORMS = {
    "FastAPI Cloud": regex(r"\bfastapi deploy\b"),
    "Fly.io": regex(r"\b(?:flyctl|fly) deploy\b|\bsuperfly/|(?:^|/)fly\.toml$"),
    "Vercel": regex(r"\bvercel\b", re.I),
    "Netlify": regex(r"\bnetlify\b", re.I),
    "Render": regex(r"\brender[- ]deploy|\brender deploys\b|api\.render\.com|(?:^|/)render\.ya?ml$"),
    "Railway": regex(r"\brailway up\b|railwayapp/|(?:^|/)railway\.(?:json|toml)$"),
    "Heroku": regex(r"\bheroku\b|(?:^|/)Procfile$"),
    "Google Cloud Run or App Engine": regex(r"\bgcloud (?:run|app) deploy\b|deploy-cloudrun|deploy-appengine"),
    "AWS ECS or Elastic Beanstalk": regex(r"\baws ecs\b|amazon-ecs-deploy|\beb deploy\b"),
    "Azure App Service or Container Apps": regex(
        r"\baz (?:webapp|containerapp)\b|webapps-deploy|container-apps-deploy"
    ),
    "DigitalOcean App Platform": regex(r"\bdoctl apps\b|\bapp_action\b|(?:^|/)\.do/app\.ya?ml$"),
    "Cloudflare": regex(r"\bwrangler\b"),
}
"""Platforms that run what is deployed to them on hosts of their own choice, by commands, actions and files."""
_DEPLOYS = regex(r"^(?:make|just|task|npm run|yarn|pnpm|(?:bash|sh) |\./)\s*\S*\b(?:deploy|release)", re.I)
"""A command in a document that deploys; its name is the same in documents of any language."""
_SILENT = frozenset(
    {"echo", "printf", "true", ":", "sleep", "exit", "ls", "pwd", "date", "set", "cat", "env", "whoami"}
)
_PREPARES = regex(
    r"(?:^|/)(?:checkout|setup-[\w-]+|cache|download-artifact|configure-[\w-]+|login-action)@|^docker/setup-"
)
_PUBLISHING = regex(r"^docker/(?:build-push|metadata|bake)-action@")
_OF_IMAGES = frozenset({"build", "push", "tag", "login", "buildx"})
_UNREAD_DOCUMENT = (".rst", ".adoc", ".asciidoc", ".org", ".textile")
_ONE_HOST_WORD = regex(r"homelabs?$|homeserver$|.*(?:单机|单节点|单服务器)")
COPIES = frozenset({
    "scale", "scaled", "scales", "scaling", "scalable", "scalability", "autoscaling", "horizontally", "replicas",
    "skalieren", "skalierung", "escalar", "escalado", "escalabilidad", "масштабирование", "扩展", "扩容",
})  # fmt: skip
"""Words of a document that speaks of more copies of a service."""
_SCALING = COPIES | {
    "kubernetes", "k8s", "helm", "swarm", "nomad", "ecs", "multi-node", "high-availability", "failover",
    "hochverfügbarkeit",
}  # fmt: skip
_SCALING_WORD = regex(
    r"масштабир|масштабуван|отказоустойчив|відмовостій|escalabili|skalier|scalabili|hochverfügbar|ausfallsicher|"
    r"yedekli|ölçeklen|skalowa|.*(?:扩容|扩展|高可用|スケー|冗長|확장|고가용)"
)
"""How words begin that mean scaling or failover in languages that bend them, or that write without spaces."""


@answered_once
def orchestrator_files(inventory: Inventory) -> tuple[str, ...]:
    """The files that deploy to something other than Compose on one host: Kubernetes, Terraform, a platform."""
    return tuple(path for path in inventory.files if _ORCHESTRATOR_FILE.search(path))


@answered_once
def uses_orchestrator(inventory: Inventory) -> bool:
    """Whether a file, a command or an action deploys to an orchestrator or a platform."""
    return (
        bool(orchestrator_files(inventory))
        or any(_ORCHESTRATOR_ACTION.search(step.uses) for step in inventory.steps)
        or _deploys_to_another(inventory)
    )


@answered_once
def leaves_compose(inventory: Inventory) -> bool:
    """Whether an orchestrator runs the services and Compose serves their development: something deploys to it, or no
    Compose file keeps its services running. Manifests that nothing applies are one way beside another.
    """
    return uses_orchestrator(inventory) and (_deploys_to_another(inventory) or not _keeps_running(inventory))


@answered_once
def _deploys_to_another(inventory: Inventory) -> bool:
    """Whether a command, an action or the file of a platform deploys to an orchestrator."""
    told = ((command, " ".join(command.words)) for command in commands(inventory))
    return (
        any(
            _ORCHESTRATOR_COMMAND.search(text) and not _LOOKS.search(text) and not prints(command)
            for command, text in told
        )
        or any(
            _ORCHESTRATOR_ACTION.search(step.uses) and not _PREPARES_ACTION.search(step.uses)
            for step in inventory.steps
        )
        or bool(platforms(inventory))
    )


def _keeps_running(inventory: Inventory) -> bool:
    """Whether Compose starts at least half of its services again, after the host was restarted too."""
    mine = inventory.deployed_services
    kept = sum(service.restart in ("always", "unless-stopped") for service in mine)
    return bool(mine) and 2 * kept >= len(mine)


@answered_once
def platforms(inventory: Inventory) -> tuple[tuple[str, Location], ...]:
    """The managed platforms that the repository is deployed to, each with the first place that says so."""
    said = [(" ".join(command.words), command.location) for command in commands(inventory)]
    said += [(step.uses, step.location) for step in inventory.steps]
    said += [(path, Location(path)) for path in orchestrator_files(inventory)]
    places = {
        name: next((place for text, place in said if pattern.search(text)), None)
        for name, pattern in _PLATFORMS.items()
    }
    return tuple((name, place) for name, place in places.items() if place)


@answered_once
def other_ci(inventory: Inventory) -> tuple[str, ...]:
    """The configuration files of CI systems other than GitHub Actions; what they run isn't read."""
    return tuple(path for path in inventory.files if _OTHER_CI.match(path))


@answered_once
def unfollowed_ci(inventory: Inventory) -> tuple[str, ...]:
    """The files of other CI systems and the workflows that can't be read: what they are meant to run isn't known."""
    read = {item.file for item in inventory.workflows}
    return tuple(
        path for path in inventory.files if path not in read and (_OTHER_CI.match(path) or _WORKFLOW.match(path))
    )


def unread_ci(inventory: Inventory) -> bool:
    """Whether there are files that can't be followed, or workflows that lie where no host looks for them."""
    return bool(unfollowed_ci(inventory) or inventory.stray_workflows)


def commands(inventory: Inventory) -> Iterator[Command]:
    """Every command that the repository holds: of steps, scripts, make targets and npm scripts."""
    for step in inventory.steps:
        yield from step.commands
    for script in inventory.scripts:
        yield from script.commands
    for manifest in inventory.manifests:
        for target in manifest.targets:
            yield from target.commands


def documented_commands(inventory: Inventory) -> Iterator[Mention]:
    """Every command that a document tells its readers to call."""
    return (item for document in inventory.documents for item in document.mentions if item.kind == "command")


def workflow_variables(inventory: Inventory) -> Iterator[Pair]:
    """The variables that workflows, their jobs and their steps set."""
    for workflow in inventory.workflows:
        yield from workflow.env
        for job in workflow.jobs:
            yield from job.env
            for step in job.steps:
                yield from step.env


@answered_once
def signs_of_production(inventory: Inventory) -> tuple[Related, ...]:
    """Where the repository says that it is put into production: jobs, scripts, profiles, files that are called so."""
    found = [
        *((job.location, "a job that deploys") for job in deploying_jobs(inventory)),
        *((item.location, "a script that deploys") for item in inventory.scripts if _may_deploy(item)),
        *(
            (service.profiles_location or service.location, f"{service.name} has the profile {profile}")
            for service in inventory.services
            for profile in service.profiles
            if stages.names_production(profile)
        ),
        *(
            (Location(file), "a Compose file for it")
            for project in inventory.projects
            for file in project.files
            if stages.names_production(PurePosixPath(file).name)
        ),
    ]
    return tuple(Related(place, message) for place, message in dict(found).items())


def _may_deploy(script: Script) -> bool:
    """Whether a script deploys, by its name; what a database is told deploys nothing, and in a folder of that name a
    program may be a module of another one.
    """
    path = PurePosixPath(script.path)
    name = path.name if path.suffix in _MODULES or _DOES_ELSE.match(path.name) else script.path
    return stages.names_production(name) and script.interpreter != "sql"


def deploying_jobs(inventory: Inventory) -> Iterator[Job]:
    """The jobs that deploy, without those that are only called so."""
    found = (job for job in inventory.jobs if deploys(job) or _ships(inventory, job))
    return (job for job in found if not is_empty(job) and not only_publishes(job))


def _ships(inventory: Inventory, job: Job) -> bool:
    """Whether a job of a file called after deploying uses an action of the repository that reaches another host."""
    if not _is_of_deployment(job):
        return False
    used = {PurePosixPath(step.uses) for step in job.steps if step.uses.startswith("./")}
    own = (item for item in inventory.actions if PurePosixPath(item.path).parent in used)
    return any(_reaches_out(step) for item in own for step in item.steps)


def deploys(job: Job) -> bool:
    """Whether a job deploys, by what it is called, by the environment that it names, or by the file in which it calls
    commands on another host.
    """
    named = bool(job.environment or stages.names_production(job.id) or stages.names_production(job.name))
    return named or (_is_of_deployment(job) and any(map(_reaches_out, job.steps)))


def _is_of_deployment(job: Job) -> bool:
    return stages.names_production(PurePosixPath(job.workflow).name)


def _reaches_out(step: Step) -> bool:
    return bool(step.remote) or any(command.words[:1] == ("ssh",) for command in step.commands)


def is_idle(step: Step) -> bool:
    """Whether a step only prepares, or only prints; what it prints into a file may be used."""
    if step.uses:
        return bool(_PREPARES.search(step.uses))
    printed_away = "GITHUB_" in step.run or ">" in step.run
    return bool(step.commands) and not printed_away and all(map(prints, step.commands))


def prints(command: Command) -> bool:
    """Whether a command does nothing but print, wait or end."""
    return bool(command.words) and PurePosixPath(command.words[0]).name in _SILENT


def only_publishes(job: Job) -> bool:
    """Whether all that a job does is to build an image and push it: what runs isn't touched by that."""
    acting = [step for step in job.steps if not is_idle(step)]
    return not job.environment and bool(acting) and all(map(_publishes, acting))


def _publishes(step: Step) -> bool:
    if step.uses:
        return bool(_PUBLISHING.search(step.uses))
    words = [command.words for command in step.commands if not prints(command)]
    return bool(words) and all(each[:1] == ("docker",) and set(each[1:3]) & _OF_IMAGES for each in words)


def is_empty(job: Job) -> bool:
    """Whether a job does nothing, whatever it is called."""
    return bool(job.steps) and not job.uses and all(map(is_idle, job.steps))


def builds_own_images(inventory: Inventory) -> bool:
    """Whether the repository holds software that it packs into images, not only other people's images."""
    return bool(inventory.dockerfiles) or any(service.build for service in inventory.services)


def workflow_file(inventory: Inventory) -> str:
    """The workflow to which a job is best added: the first that checks pull requests, or the one to write."""
    checking = [
        item for item in inventory.workflows if any(trigger.event == "pull_request" for trigger in item.triggers)
    ]
    found = [*checking, *inventory.workflows]
    return found[0].file if found else ".github/workflows/ci.yml"


def guides(inventory: Inventory) -> tuple[Location, ...]:
    """The documents, their headings, or commands in them, that say how the software is put into operation."""
    found: list[Location] = []
    for document in inventory.documents:
        if _GUIDE.search(PurePosixPath(document.path).stem.replace("_", " ")):
            found.append(document.location)
        found += [heading.location for heading in document.headings if _GUIDE.search(heading.text)]
        found += [
            item.location
            for item in document.mentions
            if item.kind == "command" and (_DEPLOYS.match(item.text) or _ORCHESTRATOR_COMMAND.search(item.text))
        ]
    found += [Location(path) for path in unread_documents(inventory) if _GUIDE.search(PurePosixPath(path).stem)]
    return tuple(found)


def headings_on_operation(inventory: Inventory) -> tuple[Heading, ...]:
    """The headings of documents on running and mending what is there."""
    return tuple(
        heading for document in inventory.documents for heading in document.headings if _OPERATION.search(heading.text)
    )


def unread_documents(inventory: Inventory) -> tuple[str, ...]:
    """Documents in formats of which only the names are known: reStructuredText, AsciiDoc."""
    known = {document.path for document in inventory.documents}
    return tuple(path for path in inventory.files if path.endswith(_UNREAD_DOCUMENT) and path not in known)


def documents_on_scaling(inventory: Inventory) -> tuple[Document, ...]:
    """The documents that speak of more than one host."""
    return tuple(
        document
        for document in inventory.documents
        if document.words & _SCALING or any(map(_SCALING_WORD.match, document.words))
    )


def says_one_host(inventory: Inventory) -> bool:
    """Whether a document, or a comment of a Compose file, says that the system is meant for one host."""
    return any(project.for_one_host for project in inventory.projects) or any(
        document.for_one_host
        or any(map(_ONE_HOST_WORD.match, document.words))
        or any(stages.ONE_HOST.search(heading.text) for heading in document.headings)
        for document in inventory.documents
    )


def places_on_scaling(inventory: Inventory) -> tuple[Location, ...]:
    """The headings on more than one host; without any, the documents that speak of it."""
    spoken = documents_on_scaling(inventory)
    headings = (heading for document in spoken for heading in document.headings)
    found = [heading.location for heading in headings if _SCALING & set(re.findall(r"[\w-]+", heading.text.lower()))]
    return tuple(found or (document.location for document in spoken))


def main_document(inventory: Inventory) -> Location | None:
    """The README of the root, or the document that is nearest to it."""
    order = sorted(
        inventory.documents,
        key=lambda item: (
            item.path.count("/"),
            not PurePosixPath(item.path).name.lower().startswith("readme"),
            item.path,
        ),
    )
    return order[0].location if order else None
