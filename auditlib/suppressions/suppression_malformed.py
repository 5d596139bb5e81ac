"""A suppression can't be understood.

It names no rule, a rule that doesn't exist, gives no reason or an impossible date. It suppresses nothing.

Anti-pattern:

    legacy:  # auditlib: ignore[healthcheck-missing]

Better:

    legacy:  # auditlib: ignore[healthcheck-missing] until=2027-01-31 replaced by the new service

Recommendation:

    Write the rule in brackets, then `until=` with a date if it is to end, then the reason.

References:

- https://csrc.nist.gov/glossary/term/risk_acceptance
"""
