"""What says the same: rules of ours and of scanners, and rules of two scanners, each by its documentation."""

from __future__ import annotations

_TOKENS = frozenset(
    f"detect-secrets/{kind}"
    for kind in (
        "aws-access-key", "github-token", "gitlab-token", "private-key", "slack-token", "stripe-access-key",
        "npm-tokens", "openai-token", "pypi-token", "sendgrid-api-key", "telegram-bot-token",
    )
)  # fmt: skip
EQUIVALENT: dict[str, frozenset[str]] = {
    "admin-console-published": frozenset({"compose-lint/CL-0005"}),
    "admin-console-unauthenticated": frozenset({"compose-lint/CL-0005"}),
    "credential-default": frozenset({"compose-lint/CL-0020", "compose-lint/CL-0021"}),
    "credential-in-url": frozenset({"compose-lint/CL-0021"}),
    "datastore-port-published": frozenset({"compose-lint/CL-0005"}),
    "image-unpinned": frozenset({"compose-lint/CL-0004", "compose-lint/CL-0019", "hadolint/DL3006", "hadolint/DL3007"}),
    "monitoring-exposed-unauthenticated": frozenset({"compose-lint/CL-0005"}),
    "proxy-bypassed": frozenset({"compose-lint/CL-0005"}),
    "resource-limit-missing": frozenset({"compose-lint/CL-0026"}),
    "secret-committed": frozenset({
        "compose-lint/CL-0020", "compose-lint/CL-0021", "zizmor/hardcoded-container-credentials", *_TOKENS,
    }),
    "template-holds-real-secret": _TOKENS,
    "graceful-shutdown-missing": frozenset({"hadolint/DL3025"}),
    "dependency-unpinned": frozenset({"hadolint/DL3013", "hadolint/DL3016"}),
    "image-runs-as-root": frozenset({"hadolint/DL3002"}),
    "alert-expression-invalid": frozenset({"promtool/invalid-rules"}),
    "needs-unknown": frozenset({"actionlint/job-needs"}),
    "workflow-expression-refused": frozenset({"actionlint/expression"}),
    "receiver-undefined": frozenset({"amtool/invalid-configuration"}),
}  # fmt: skip
"""Which rules of ours say the same as which of a scanner; ours, which has read the other files too, wins."""
ANOTHERS_WORDS = {
    "actionlint/untrusted-input": "zizmor/template-injection",
    "actionlint/credentials": "zizmor/hardcoded-container-credentials",
}
"""What a scanner says that another one, whose finding is kept, says as well."""
