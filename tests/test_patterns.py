"""The program's regular expressions: compiled when used, and none of them wrong."""

import gc
import importlib
import pkgutil
import re

import pytest

import auditlib
from auditlib.patterns import Words, is_quick, regex


def test_an_expression_answers_as_a_compiled_one_does():
    """Its methods, its attributes and its flags."""
    word = regex(r"(?P<word>[a-z]+)-(\d)", re.I)
    assert word.search("see Port-8")["word"] == "Port"
    assert list(map(word.sub, ["x"] * 2, ["a-1", "b"])) == ["x", "b"]
    assert (word.groups, word.pattern) == (2, r"(?P<word>[a-z]+)-(\d)")


def test_a_wrong_expression_is_told_at_its_first_use():
    """Not before, as nothing is compiled before."""
    wrong = regex("(")
    with pytest.raises(re.error):
        wrong.match("x")


def test_every_expression_of_the_program_compiles():
    """Whether a test uses it or not."""
    for module in pkgutil.walk_packages(auditlib.__path__, "auditlib."):
        if not module.name.endswith(("__main__", "execution.warm")):  # the one runs, the other is for the fork server
            importlib.import_module(module.name)
    expressions = [item for item in gc.get_objects() if type(item) is type(regex(""))]
    assert expressions
    for expression in expressions:
        re.compile(expression.pattern, expression.flags)


@pytest.mark.parametrize("before", [0, 1, 99_995, 99_999, 100_000, 250_000])
def test_words_are_found_wherever_they_stand(before):
    """Also where one part of a long text ends and the next begins."""
    words = Words("celery", "beat(")
    assert words.any_in("." * before + "beat(")
    assert not words.any_in("." * before + "beat")


@pytest.mark.parametrize("text", ["^/(api|metrics)(/|$)", "^/v[0-9]+/.*", r"\.(?:css|js)$", "a.*|b.*|c.*|d.*|e.*|f.*"])
def test_expressions_that_are_tried(text):
    """Those that people write for locations and labels."""
    assert is_quick(text)


@pytest.mark.parametrize("text", ["(a+)+$", "((a+)b)*", "(a|aa)+$", "([a-z/]{1,9}){5,}x", ".*.*.*.*.*.*.*x", "a" * 201])
def test_expressions_that_may_take_for_ever_are_not_tried(text):
    """They would hold the audit up, as the repository writes them."""
    assert not is_quick(text)
