"""The inputs that well-known actions take, in any of their releases (each repository's `action.yml`)."""

from __future__ import annotations

_SETUP = "check-latest token cache cache-dependency-path architecture"
_INPUTS = {
    name: frozenset(inputs.split())
    for name, inputs in {
        "actions/checkout": "repository ref token ssh-key ssh-known-hosts ssh-strict ssh-user persist-credentials path "
        "clean filter sparse-checkout sparse-checkout-cone-mode fetch-depth fetch-tags show-progress lfs submodules "
        "set-safe-directory github-server-url reference",
        "actions/setup-node": f"{_SETUP} node-version node-version-file registry-url scope always-auth version mirror "
        "mirror-token package-manager-cache",
        "actions/setup-python": f"{_SETUP} python-version python-version-file update-environment allow-prereleases "
        "freethreaded pip-version pip-install ignore-platform-version",
        "actions/setup-go": f"{_SETUP} go-version go-version-file go-download-base-url stable",
        "docker/login-action": "registry username password ecr logout attempts registry-auth scope",
        "docker/build-push-action": "add-hosts allow annotations attests build-args build-contexts builder cache-from "
        "cache-to call cgroup-parent context file labels load network no-cache no-cache-filters outputs platforms "
        "provenance pull push sbom secrets secret-envs secret-files shm-size ssh tags target ulimit github-token "
        "repository dockerfile registry username password tag_with_ref tag_with_sha always_pull build_args "
        "cache_froms tags add_git_labels path",
        "gitleaks/gitleaks-action": "",
        "grafana/setup-k6-action": "k6-version browser",
        "softprops/action-gh-release": "body body_path name tag_name draft prerelease preserve_order files "
        "working_directory overwrite_files fail_on_unmatched_files repository token target_commitish "
        "discussion_category_name generate_release_notes append_body make_latest previous_tag",
    }.items()
}
_OF_OTHERS = frozenset().union(*_INPUTS.values()) | {"args", "version", "node_version", "python_version"}


def unknown(uses: str, name: str) -> bool:
    """Whether an action doesn't take an input. One that nobody knows may be new, and counts as taken."""
    action, _, release = uses.partition("@")
    known = _INPUTS.get(action)
    if known is None or (action.startswith("gitleaks/") and release.startswith("v1")) or name.lower() in known:
        return False
    return not known or bool(meant(uses, name)) or name.lower() in _OF_OTHERS


def meant(uses: str, name: str) -> str:
    """The input that a name is another spelling or the end of; empty for none."""
    known = sorted(_INPUTS.get(uses.partition("@")[0], ()))
    plain = name.lower().replace("_", "-")
    same = (item for item in known if item.replace("_", "-") == plain)
    return next(same, "") or next((item for item in known if item.endswith(f"-{plain}")), "")
