"""Images are built in the pipeline and scanned by nothing.

A base image ages by itself: what was without a known hole on the day of the build has dozens half a year later. Without
a scan, the first who looks is the attacker.

Anti-pattern:

    - uses: docker/build-push-action@v6
      with: { push: true, tags: ghcr.io/acme/api:1.4 }

Better:

    - uses: docker/build-push-action@v6
      with: { load: true, tags: api:ci }
    - uses: aquasecurity/trivy-action@0.28.0
      with: { image-ref: api:ci, severity: "HIGH,CRITICAL", ignore-unfixed: true, exit-code: "1" }

Recommendation:

    Scan each image after its build, before it is pushed, and let serious findings that have a fix fail the job.

References:

- https://trivy.dev/
- https://github.com/anchore/scan-action
- https://docs.docker.com/scout/integrations/ci/gha/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from auditlib import pipeline
from auditlib.conventions import deployment, images, pushed_images
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.pipeline import Run
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_SCANNERS = regex(
    r"trivy|grype|anchore|snyk|docker[/ -]scout|scout-action|clair|sysdig|prisma-?cloud|twistlock|wiz|aqua|xray|jfrog|"
    r"neuvector|lacework|orca|qualys|osv-scanner|dockle|container-scan|image-scan|scan-image|checkov|kics|vuln|"
    r"security-scan|mondoo|chainguard|zora|ecr.*scan|scan-action",
    re.I,
)
_OF_FILES = regex(
    r"trivy-action\S*\s(?!.*\bimage-ref=).*\bscan-type=(?:fs|filesystem|repo|repository|config)\b|"
    r"(?:^|[\s/])trivy\s+(?:-\S+\s+)*(?:fs|filesystem|repo|repository|config)\s"
)
"""Scans that look at files of the repository, and at nothing of the base image."""
_NO_SCAN = regex(
    r"\bgovulncheck\b|\bsonar|upload-sarif|upload-artifact|codeql-action|sbom-action|snyk/actions/(?!docker|setup)|"
    r"\bsnyk\s+(?:test|code|monitor|iac)\b",
    re.I,
)
"""What looks at the code and its packages alone, keeps results, or lists what is in an image."""
_SCANNED = regex(
    r"\s(?:image-ref|image)=(?P<given>[\w./:@-]+)(?=\s|$)|\b(?:trivy\s+(?:\S+\s+){0,8}image|grype|docker scout cves)\s"
    r"(?:\S+\s+){0,20}(?P<last>[\w./:@-]+)$"
)
"""The image that a scan names."""
_PUSHES = regex(r"(?:^|\s)push=(?:true\b|\$\{\{)|\bdocker\s.*\bpush\b|\s--push\b")
_SCAN = """- uses: {host}aquasecurity/trivy-action@<full commit hash>  # <version>
  with:
    image-ref: {image}
    severity: HIGH,CRITICAL
    ignore-unfixed: true
    exit-code: "1\""""
_KNOWN = regex(r"(?:[\w./:@-]|\$\{\{\s*(?!steps\.)[\w.-]+\s*\}\})+")
"""A name without what only the shell of a command, or another step, knows."""
_REMOTE = regex(r"^(?:sshpass\s.*)?ssh\s|^\S*ssh-action\b|^\S*/ssh\S*@")
"""A build on another host, whose image the runner doesn't have."""
_ACTS_ON_IMAGE = regex(r"\bcompose\b.*\s(?:up|run)\b(?!.*--build)")


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all builds, where a workflow builds images of the repository and none runs a scanner."""
    if not deployment.builds_own_images(inventory) or deployment.unfollowed_ci(inventory):  # which may scan them
        return
    found = pipeline.of(inventory, inventory.workflows)
    builds = [
        run
        for run in found.runs
        if not (_ACTS_ON_IMAGE.search(run.text) or _REMOTE.search(run.text)) and pipeline.builds_images(run, inventory)
    ]
    scans = [run for run in found.doing(_SCANNERS) if not _NO_SCAN.search(run.text)]
    if builds and all(_OF_FILES.search(run.text) or _of_bases(inventory, run) for run in scans):
        pushing = {id(run.job) for run in found.runs if _PUSHES.search(run.text)}
        yield _evidence(inventory, builds, [run for run in builds if id(run.job) in pushing], scans)


def _of_bases(inventory: Inventory, run: Run) -> bool:
    """Whether a scan is one of an image that the repository only builds on or pulls."""
    match = _SCANNED.search(run.text)
    image = (match["given"] or match["last"]) if match else ""
    bases = (item.words[0] for file in inventory.dockerfiles for item in file.instructions if item.keyword == "FROM")
    pulled = (service.image for service in inventory.services if not service.build)
    return bool(image) and image in {*bases, *pulled} and images.repository(image) not in _own(inventory)


def _own(inventory: Inventory) -> set[str]:
    """The images that Compose builds, or a workflow pushes, without their tags."""
    jobs = ((workflow, job) for workflow in inventory.workflows for job in workflow.jobs)
    pushed = (item.reference for workflow, job in jobs for item in pushed_images.of(workflow, job))
    built = (service.image for service in inventory.services if service.build)
    return {images.repository(image) for image in (*pushed, *built)}


def _where(jobs: list[str], pushing: list[str]) -> str:
    """Which of the jobs push what they build."""
    if jobs == pushing:
        return " and pushes them" if len(jobs) == 1 else " and push them"
    return f" ({listed(pushing)} {'pushes' if len(pushing) == 1 else 'push'} them)" if pushing else ""


def _evidence(inventory: Inventory, builds: list[Run], pushed: list[Run], of_files: list[Run]) -> Evidence:
    first, *others = [*pushed, *(run for run in builds if run not in pushed)]
    jobs = list(dict.fromkeys(run.job.id for run in builds))
    pushing = list(dict.fromkeys(run.job.id for run in pushed))
    where = _where(jobs, pushing)
    places = {run.location: run for run in others if run.location != first.location}
    return Evidence(
        f"{counted(len(jobs), 'job builds', 'jobs build')} images{where}, and no "
        "workflow scans an image, unless the registry does so by itself.",
        first.location,
        subject="images",
        related=(
            *(Related(place, f"the job {run.job.id} builds images too", member=True) for place, run in places.items()),
            *(Related(run.location, _scans(run)) for run in of_files[:2]),
        ),
        recommendation=f"Add a scan, with Trivy or Grype, after the build in the job {first.job.id} of "
        f"{first.job.workflow}{', and push only what passes it' if pushed else ''}.",
        severity=Severity.MEDIUM if pushed else None,
        example=workflow_lines.step(first.job.workflow, first.job.id, _scan(inventory, first)),
    )


def _scans(run: Run) -> str:
    """What a scan looks at instead."""
    if _OF_FILES.search(run.text):
        return "scans the files of the repository, no image"
    return "scans an image that is only built on or pulled"


def _scan(inventory: Inventory, build: Run) -> str:
    """A step that scans what a job pushes, by the name that its files write out.

    Another forge has to be told where the action is.
    """
    file = build.job.workflow
    mine = (item for item in inventory.workflows if item.file == file)
    each = replace(build.job, matrix=(), included=())  # every run of a matrix scans its own
    names = (item.reference for workflow in mine for item in pushed_images.of(workflow, each))
    known = (name for name in names if _KNOWN.fullmatch(name))
    host = "" if file.startswith(".github/") else "https://github.com/"
    loaded = ", with `load: true`" if "build-push-action" in build.text else ""
    return _SCAN.format(host=host, image=next(known, f"<the image as it is built before{loaded}>"))
