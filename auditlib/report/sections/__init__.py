"""What the notebooks show: one function for each cell, from an audit to something that displays itself.

Where a repository has nothing to show, the answer says so in a sentence.
"""

from auditlib.report.loading import load
from auditlib.report.sections.configuration import credential_flow, environment_coverage, environments
from auditlib.report.sections.delivery import ci_jobs
from auditlib.report.sections.evidence import explorer, findings, table
from auditlib.report.sections.failure import blast_radius, start_up
from auditlib.report.sections.images import image_versions
from auditlib.report.sections.joining import joined
from auditlib.report.sections.monitoring import alerts, monitoring_wiring
from auditlib.report.sections.orchestration import dependency_conditions, service_map
from auditlib.report.sections.overview import checklist, scope, severities, verdict
from auditlib.report.sections.passing import passed
from auditlib.report.sections.planning import backlog, risk_against_effort, risk_matrix
from auditlib.report.sections.progress import changes, trend
from auditlib.report.sections.reliability import confidence, coverage
from auditlib.report.sections.scoring import score_costs
from auditlib.report.sections.storage import exposure, volumes
from auditlib.report.sections.testing import scripts, test_coverage
from auditlib.report.sections.watching import monitoring_coverage

__all__ = [
    "alerts",
    "backlog",
    "blast_radius",
    "changes",
    "checklist",
    "ci_jobs",
    "confidence",
    "coverage",
    "credential_flow",
    "dependency_conditions",
    "environment_coverage",
    "environments",
    "explorer",
    "exposure",
    "findings",
    "image_versions",
    "joined",
    "load",
    "monitoring_coverage",
    "monitoring_wiring",
    "passed",
    "risk_against_effort",
    "risk_matrix",
    "scope",
    "score_costs",
    "scripts",
    "service_map",
    "severities",
    "start_up",
    "table",
    "test_coverage",
    "trend",
    "verdict",
    "volumes",
]
