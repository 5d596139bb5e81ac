def render(audit, settings): return ""
