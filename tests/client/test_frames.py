"""What a traceback may tell."""

import inspect
import traceback

import pytest

from krakenasync import ConfigurationError, KrakenClient
from krakenasync.client.frames import at_any_time, bare, discreet, told


def names(error):
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


def fail(error):
    word = "hush"  # noqa: F841 - to be seen, or not
    raise error


def caught(error):
    try:
        fail(error)
    except BaseException as failed:  # noqa: BLE001 - whatever is given
        return failed


def test_an_error_loses_its_frames_and_those_of_all_that_led_to_it():
    """Causes, contexts and the members of a group lose theirs as well; who caused whom stays."""
    error, context, cause, member = map(caught, (RuntimeError(), ValueError("odd"), OSError("reset"), KeyError("k")))
    group = caught(ExceptionGroup("several", [member]))
    error.__context__, context.__cause__, cause.__context__ = context, cause, group
    assert bare(error) is error
    assert (error.__context__, context.__cause__, cause.__context__, str(cause)) == (context, cause, group, "reset")
    assert [names(each) for each in (error, context, cause, group, member)] == [[]] * 5


def test_what_we_hide_on_purpose_is_let_go():
    """An error raised ``from None`` still holds the one before it, which may hold a secret; others' are theirs."""
    for error, kept in ((ConfigurationError("not text"), False), (OSError("reset"), True)):
        found = caught(error)
        found.__context__, found.__suppress_context__ = caught(KeyError("hush")), True
        assert (bare(found).__context__ is not None) is kept


def test_what_the_caller_was_handling_keeps_its_frames():
    """It hangs on ours as the context, but was not raised by us and is not ours to clean."""

    def ours():
        try:
            fail(OSError("reset"))
        except OSError as error:
            raise ConfigurationError("ours") from bare(error)

    def the_callers():
        try:
            fail(KeyError("the caller's"))
        except KeyError:
            ours()

    with pytest.raises(ConfigurationError) as raised:
        the_callers()
    cause = raised.value.__cause__
    assert names(cause) == []
    assert names(cause.__context__) == ["the_callers", "fail"]


def test_errors_that_are_a_circle():
    """Some program may have made one."""
    one, other = caught(OSError("one")), caught(OSError("other"))
    one.__context__, other.__context__ = other, one
    assert names(bare(one)) == names(other) == []
    one.__context__ = None


def test_where_an_unexpected_error_was_raised_stays_as_text():
    """Without the frames nobody could tell a bug's place; ours say in words what is wrong, an interruption nothing."""
    for error, noted in ((ZeroDivisionError(), True), (ConfigurationError("no"), False), (KeyboardInterrupt(), False)):
        found = told(caught(error))
        assert ("in fail" in "".join(getattr(found, "__notes__", ()))) is noted
        assert names(found) == []


@discreet
def open_it(secret, *, wrong):
    """Open it."""
    text = secret * 2
    fail(wrong)
    return text


@pytest.mark.parametrize("wrong", [ConfigurationError("no"), ZeroDivisionError(), KeyboardInterrupt()])
def test_a_discreet_function_raises_from_a_frame_that_holds_nothing(wrong):
    """The error is the same one, and nothing between the caller and its end shows an argument."""
    with pytest.raises(type(wrong)) as raised:
        open_it("hush", wrong=wrong)
    assert raised.value is wrong
    kept = traceback.StackSummary.extract(traceback.walk_tb(wrong.__traceback__), capture_locals=True)[1:]
    assert [frame.name for frame in kept] == ["made"]
    assert "hush" not in str(kept[0].locals)


def test_wrong_arguments_of_a_discreet_function_are_no_different():
    """The call itself fails, with the secret among its arguments."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'rihgt'") as raised:
        open_it("hush", rihgt=1)
    kept = traceback.StackSummary.extract(traceback.walk_tb(raised.value.__traceback__), capture_locals=True)[1:]
    assert "hush" not in str([frame.locals for frame in kept])
    assert not hasattr(raised.value, "__notes__"), "there is no place to tell"


def test_a_discreet_function_looks_like_itself():
    """Editors and documentation see its name, text and parameters."""
    assert (open_it.__name__, open_it.__doc__) == ("open_it", "Open it.")
    assert list(inspect.signature(open_it).parameters) == ["secret", "wrong"]
    assert list(inspect.signature(KrakenClient).parameters)[:3] == ["api_key", "api_secret", "tier"]


def test_a_repr_at_any_time():
    """Before `__init__` is through it says so; what else goes wrong in it is not hidden."""

    class Thing:
        def __init__(self, size):
            self.size = size

        @at_any_time
        def __repr__(self):
            return f"<Thing {1 / self.size}>"

    assert (repr(Thing.__new__(Thing)), repr(Thing(1))) == ("<Thing, not built>", "<Thing 1.0>")
    with pytest.raises(ZeroDivisionError):
        repr(Thing(0))
