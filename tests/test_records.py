"""Our own `dataclass` makes the same records as the standard library's."""

import copy
import dataclasses
import pickle

import pytest

from auditlib import records


@records.dataclass(frozen=True, slots=True)
class Port:
    """A port."""

    number: int
    protocol: str = "tcp"


@records.dataclass(frozen=True, slots=True)
class Single:
    value: str


@records.dataclass(frozen=True, slots=True)
class Empty:
    pass


@dataclasses.dataclass(frozen=True, slots=True)
class Plain:
    number: int
    protocol: str = "tcp"


def test_it_takes_what_the_standard_one_takes():
    for arguments in ((80,), (80, "udp")):
        ours, plain = Port(*arguments), Plain(*arguments)
        assert dataclasses.astuple(ours) == dataclasses.astuple(plain)
        assert repr(ours) == repr(plain).replace("Plain", "Port")
        assert hash(ours) == hash(plain)
    assert Port(number=80) == Port(80, protocol="tcp")
    for wrong in ({}, {"number": 1, "name": "x"}):
        with pytest.raises(TypeError, match="__init__"):
            Port(**wrong)


def test_it_equals_its_own_kind_only():
    assert Port(80) == Port(80)
    assert Port(80) != Port(81)
    assert Port(80) != Plain(80)
    assert Port(80) != (80, "tcp")
    assert {Single("a"), Single("a"), Single("b")} == {Single("b"), Single("a")}
    assert {Empty(), Empty()} == {Empty()}


def test_it_is_frozen_and_has_no_dictionary():
    for change in (lambda: setattr(Port(80), "number", 1), lambda: delattr(Port(80), "number")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            change()
    assert not hasattr(Port(80), "__dict__")


@pytest.mark.parametrize("record", [Port(80, "udp"), Single("a")], ids=repr)
def test_it_can_be_replaced_copied_and_pickled(record):
    first = dataclasses.fields(record)[0].name
    assert dataclasses.replace(record, **{first: "other"}) != record
    assert copy.deepcopy(record) == record
    assert pickle.loads(pickle.dumps(record)) == record


def test_it_can_be_matched():
    match Port(80):
        case Port(number, protocol):
            assert (number, protocol) == (80, "tcp")
