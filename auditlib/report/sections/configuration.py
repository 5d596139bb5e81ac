"""Configuration: where each variable is known, where credentials go, and what decides by environment."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from auditlib.audit import Audit
from auditlib.conventions import environments as environments_of
from auditlib.graph import Flow, Origin
from auditlib.model import Severity
from auditlib.report import palette, wording
from auditlib.report.blocks import Blocks, Column, Prose, State, Table
from auditlib.report.charts import layered, matrix
from auditlib.report.faults import Broken, Faults

_SHOWN = 45
_FLOWS = 18
_SERVICES = 24
_PLACES = ("Compose", "Template", "Code", "Documents")
_COLUMNS = ("Given to", "Credential", "Opens")
_VALUES = {"bad": "with a value that anyone may know", "warn": "with a value in a file", "good": "given from outside"}
"""What is said of credentials by the tone of their value, the worst first."""
_WORDS = {
    "required": ("dot", "good", "required"),
    "named": ("dot", "good", "named"),
    "default": ("ring", "accent", "has a default"),
    "blank": ("cross", "bad", "blank when unset"),
    "missing": ("dash", "warn", "missing here"),
}


def environment_coverage(audit: Audit) -> Blocks:
    """Each variable that Compose or code asks for, and whether templates and documents know it."""
    known = _known(audit)
    if not known:
        return Blocks(Prose("Neither Compose files nor code ask for a variable of the environment."))
    names = sorted(known, key=lambda name: (-_trouble(known[name]), name))
    marks = {
        (row, _PLACES.index(place)): matrix.Mark(*_WORDS[state][:2])
        for row, name in enumerate(names[:_SHOWN])
        for place, state in known[name].items()
    }
    words = _coverage_words(known)
    legend = [(matrix.Mark(shape, tone), meaning) for shape, tone, meaning in list(_WORDS.values())[1:]]
    canvas = matrix.draw(names[:_SHOWN], _PLACES, marks, legend)
    return Blocks(canvas.picture(words, words, _coverage_table(names, known)))


_Known = Mapping[str, Mapping[str, str]]
"""By variable and place: how it stands there."""


def _coverage_words(known: _Known) -> str:
    missing = sum(places.get("Template") == "missing" for places in known.values())
    blank = sum(places.get("Compose") == "blank" for places in known.values())
    words = f"{wording.count(len(known), 'variable')}: {missing or 'none'} in no template, "
    words += f"{blank or 'none'} blank when unset."
    return words + (f" The {_SHOWN} with the most gaps are drawn." if len(known) > _SHOWN else "")


def _coverage_table(names: list[str], known: _Known) -> Table:
    columns = (Column("Variable", "code"), *(Column(place, "state") for place in _PLACES))
    rows = tuple((name, *(_state(known[name].get(place)) for place in _PLACES)) for name in names)
    return Table("Variables and where they are known", columns, rows)


def _state(word: str | None) -> State | str:
    return State(_WORDS[word][2], _WORDS[word][1]) if word else ""


def _known(audit: Audit) -> dict[str, dict[str, str]]:
    inventory = audit.inventory
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for variable in inventory.variables:
        if variable.operator in (":-", "-"):
            state = "default"
        else:
            state = (
                "required" if variable.operator in (":?", "?") else "named" if variable.source != "unset" else "blank"
            )
        if found[variable.name].get("Compose") != "blank":
            found[variable.name]["Compose"] = state
    for setting in inventory.settings:
        if not environments_of.is_for_development(setting.location.file):
            needed = setting.required or found[setting.name].get("Code") == "required"
            found[setting.name]["Code"] = "required" if needed else "default"
    for entry in (entry for service in inventory.services for entry in service.environment):
        if entry.name in found:
            found[entry.name].setdefault("Compose", "named")
    templates = {line.name for file in inventory.env_files if file.template for line in file.lines}
    documented = {
        mention.text for document in inventory.documents for mention in document.mentions if mention.kind == "variable"
    }
    for name, places in found.items():
        places["Template"] = "named" if name in templates else "missing"
        if name in documented:
            places["Documents"] = "named"
    return dict(found)


def _trouble(places: dict[str, str]) -> int:
    return 2 * (places.get("Compose") == "blank") + (places.get("Template") == "missing") + ("Compose" in places)


def credential_flow(audit: Audit) -> Blocks:
    """Each credential between the services that get it and what it opens; coloured by where its value comes from."""
    flows = [flow for flow in audit.graph.credential_flow() if flow.origins or flow.services]
    if not flows:
        return Blocks(Prose("No variable by its name, or by its value, is a credential."))
    judged = _Judged(audit, flows)
    flows.sort(key=lambda flow: list(_VALUES).index(judged.of(flow).tone))
    drawn = _drawable(flows)
    tones = Counter(judged.of(flow).tone for flow in flows)
    kinds = [f"{tones[tone]} {kind}" if len(flows) > 1 else kind for tone, kind in _VALUES.items() if tones[tone]]
    words = f"{wording.count(len(flows), 'credential')}{': ' if len(flows) > 1 else ' '}{', '.join(kinds)}."
    words += f" Drawn are {len(drawn)} that services get." if len(drawn) < len(flows) else ""
    table = _flow_table(audit, flows, judged)
    if not drawn:
        return Blocks(Prose(words), table)
    boxes, links = _flow_picture(audit, drawn, judged)
    canvas = layered.draw(boxes, links, _COLUMNS, _legend(boxes))
    if canvas.is_large:
        canvas.brief = layered.brief(boxes, links, ("service", "credential", "service"), _COLUMNS, _legend(boxes))
    return Blocks(canvas.picture(words, words, table))


_FLOW_MEANINGS = {"bad": "weak, placeholder or critical", "warn": "value in a file", "good": "from outside"}


def _legend(boxes: list[layered.Box]) -> list[tuple[str, str]]:
    """What the colours of the credentials that are drawn mean."""
    shown = {box.tone for box in boxes}
    return [(palette.TONES[tone][1], meaning) for tone, meaning in _FLOW_MEANINGS.items() if tone in shown]


def _flow_table(audit: Audit, flows: list[Flow], judged: _Judged) -> Table:
    columns = (Column("Credential", "code"), Column("Value", "state"), Column("Origin"), Column("Services"),
               Column("Opens"), Column("Place", "code"))  # fmt: skip
    rows = tuple(_row(audit, flow, judged.of(flow)) for flow in flows)
    return Table("Credentials, where their values come from, and who gets them", columns, rows)


def _drawable(flows: list[Flow]) -> list[Flow]:
    """The first flows, as long as the picture stays one that can be taken in."""
    drawn: list[Flow] = []
    services: set[str] = set()
    for flow in flows:
        reached = services.union(flow.services)
        if (flow.services or flow.opens) and len(reached) <= max(_SERVICES, len(flow.services)) and len(drawn) < _FLOWS:
            drawn.append(flow)
            services = reached
    return drawn


_CREDENTIALS = dict.fromkeys(
    ("credential-default", "secret-committed", "setting-default-insecure", "template-holds-real-secret"),
    "critical, as a finding says",
)


class _Judged:
    """How credentials are judged: as the findings on them are, or by their worst origin."""

    def __init__(self, audit: Audit, flows: Iterable[Flow]) -> None:
        grave = (finding for finding in audit.findings if finding.severity is Severity.CRITICAL)
        faults = Faults(grave, _CREDENTIALS)
        self._critical: dict[int, Broken] = {}
        for origin in (origin for flow in flows for origin in flow.origins if origin.identity):
            if broken := faults.at(origin.location):
                self._critical[origin.identity] = broken

    def of(self, flow: Flow) -> State:
        """The judgement of one; what has the value that a critical finding is about shares its fate."""
        words, tone = _by_origin(flow)
        found = (self._critical[item.identity] for item in flow.origins if item.identity in self._critical)
        broken = next(found, None)
        if broken is None:
            return State(words, tone)
        return State(words if tone == "bad" else broken.words, "bad", broken.fingerprint)


def _by_origin(flow: Flow) -> tuple[str, str]:
    """How a credential's worst origin is judged, in words and as a tone."""
    own = [
        origin
        for origin in flow.origins
        if origin.kind != "template" and not environments_of.is_for_development(origin.location.file)
    ]
    if any(origin.weak or origin.placeholder for origin in own):
        return "weak or placeholder", "bad"
    if any(origin.kind in ("default", "literal", "env_file", "setting") and origin.shown for origin in own):
        return "value in a file", "warn"
    return "from outside", "good"


def _row(audit: Audit, flow: Flow, judged: State) -> tuple[object, ...]:
    names = audit.graph.nodes
    origins = wording.listing((_origin(origin) for origin in flow.origins), 3)
    services = wording.listing((names[node]["name"] for node in flow.services), 8) if flow.services else ""
    opens = wording.listing((names[node]["name"] for node in flow.opens), 8) if flow.opens else ""
    place = next((str(origin.location) for origin in flow.origins), "")
    return (flow.variable, judged, origins, services, opens, place)


def _origin(origin: Origin) -> str:
    kind = {"env_file": "environment file", "setting": "default in code", "default": "default in Compose"}
    return f"{kind.get(origin.kind, origin.kind)} {origin.shown}".strip()


def _flow_picture(audit: Audit, flows: list[Flow], judged: _Judged) -> tuple[list[layered.Box], list[layered.Link]]:
    """A box for each credential between its services: where two credentials met, none could be followed further."""
    names = audit.graph.nodes
    boxes: dict[str, layered.Box] = {}
    links: list[layered.Link] = []
    for flow in flows:
        state = judged.of(flow)
        words, tone = state.text, state.tone
        source = f"credential:{flow.variable}"
        boxes[source] = layered.Box(source, 1, flow.variable, (words,), tone)
        for column, line, reached in ((0, "gets it", flow.services), (2, "is opened by it", flow.opens)):
            ends = {f"{column}:{node}": names[node]["name"] for node in reached[:_SERVICES]}
            if len(reached) > _SERVICES:
                ends[f"{column}:rest of {flow.variable}"] = f"{len(reached) - _SERVICES} more services"
            for end, name in ends.items():
                boxes[end] = layered.Box(end, column, name, (line,), "accent" if column else "")
                links.append(layered.Link(source, end, tone))
    return list(boxes.values()), links


def environments(audit: Audit) -> Blocks:
    """Where code decides by the name of the environment, and what it decides."""
    branches = audit.inventory.environment_branches
    if not branches:
        return Blocks(Prose("No code that was read decides by the name of the environment."))
    rows = tuple(
        (branch.variable, *_decided(branch.values, branch.targets), str(branch.location)) for branch in branches
    )
    columns = (Column("Variable", "code"), Column("Is compared with"), Column("Decides"), Column("Place", "code"))
    return Blocks(Table("Decisions by environment", columns, rows))


def _decided(values: tuple[str, ...], targets: tuple[str, ...]) -> Iterator[str]:
    yield wording.listing(values, 6) if values else ""
    yield wording.listing((f"`{target}`" for target in targets), 6) if targets else ""
