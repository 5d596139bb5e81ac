"""Knowledge of the field that rules and graph share: what well-known names mean, whatever the repository.

Small modules of data, each with the source of its facts, and the questions that are asked of them. They judge records
of the inventory and know neither graph nor rules.
"""
