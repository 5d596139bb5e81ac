"""What is worked out of an inventory once."""

from dataclasses import replace

from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once

asked = []


@answered_once
def files(inventory):
    """Its files."""
    asked.append(inventory)
    return list(inventory.files)


def test_an_answer_is_worked_out_once_for_each_inventory():
    inventory = Inventory("", "", "", files=("a",))
    other = replace(inventory, files=("b",))

    assert files(inventory) is files(inventory)
    assert (files(inventory), files(other)) == (["a"], ["b"])
    assert len(asked) == 2
