"""A suppression has expired.

Somebody decided to live with a finding until a day that has passed. The finding counts again, and this says why.

Anti-pattern:

    # auditlib: ignore[healthcheck-missing] until=2020-01-31 replaced next quarter
    legacy:
      image: legacy:1.4

Better:

    legacy:
      image: legacy:1.4
      healthcheck: {test: [CMD, /bin/health]}

Recommendation:

    Mend what was suppressed and delete the suppression, or decide again and write a new date with its reason.

References:

- https://csrc.nist.gov/glossary/term/risk_acceptance
"""
