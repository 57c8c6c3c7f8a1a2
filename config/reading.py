"""How settings are declared and read: each once, with its name, kind, default and meaning."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from environs import Env, EnvValidationError
from marshmallow import ValidationError

REQUIRED: Any = ...
"""The default of a setting that has none."""

Check = Callable[[Any], Any]
Config = TypeVar("Config")


class ConfigError(Exception):
    """Settings that are missing or wrong; `problems` has one line for each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        super().__init__("The settings are not right:\n" + "\n".join(f"  {line}" for line in self.problems))


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable; `kind` is a reader of environs (`int`, `path` …)."""

    name: str
    kind: str
    default: Any
    meaning: str
    checks: tuple[Check, ...] = ()

    def read(self, env: Env) -> Any:
        """The value, or the default; a value that is wrong is noted in `env`."""
        default = None if callable(self.default) else self.default
        return getattr(env, self.kind)(self.name, default, validate=list(self.checks))


@dataclass(frozen=True, slots=True)
class InVarDir:
    """A default that is a folder of this name in the var dir."""

    folder: str

    def __call__(self, values: Mapping[str, Any]) -> Path | None:
        """The folder's path; None when the var dir itself could not be read."""
        return values["var_dir"] / self.folder if values["var_dir"] else None

    def __str__(self) -> str:
        return f"VAR_DIR/{self.folder}"


def setting(name: str, kind: str, default: Any, meaning: str, *checks: Check, secret: bool = False) -> Any:
    """A dataclass field that is read from the environment variable `name`.

    A callable default is given the values read before it, by field name. A `secret` stays out of the repr.
    """
    return field(repr=not secret, metadata={"setting": Setting(name, kind, default, meaning, checks)})


def settings_of(config_class: type) -> tuple[Setting, ...]:
    """The settings that a config class reads."""
    return tuple(_setting(one) for one in fields(config_class))


def read(config_class: type[Config], environ: Mapping[str, str] | None = None) -> Config:
    """Read a config from `environ` (default: this process's environment).

    Raises:
        ConfigError: values are missing or wrong; all of them are told.
    """
    env = _MappingEnv(os.environ if environ is None else environ)
    values: dict[str, Any] = {}
    for one in fields(config_class):  # type: ignore[arg-type]
        declared = _setting(one)
        value = declared.read(env)
        values[one.name] = _settled(declared.default(values) if value is None and callable(declared.default) else value)
    _raise_problems(env, settings_of(config_class))
    return config_class(**values)


def _settled(value: Any) -> Any:
    """The value as it is kept: paths hold wherever the process goes, lists cannot be changed."""
    if isinstance(value, Path):
        return value.absolute()
    return tuple(part.strip() for part in value) if isinstance(value, list) else value


def _setting(one: "Field[Any]") -> Setting:
    declared = one.metadata["setting"]
    assert isinstance(declared, Setting)
    return declared


def _raise_problems(env: Env, declared: Iterable[Setting]) -> None:
    try:
        env.seal()
    except EnvValidationError as error:
        problems: Any = error.error_messages
        raise ConfigError(_problem(one, problems[one.name]) for one in declared if one.name in problems) from None


def _problem(declared: Setting, messages: Iterable[object]) -> str:
    told = " ".join(str(message) for message in messages)
    return f"{declared.name}: {told.rstrip('.')} ({declared.meaning})"


class _MappingEnv(Env):
    """Reads a given mapping, so that a config can be built without touching the process; empty is unset."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(eager=False)
        self._mapping = environ

    def _get_value(self, env_key: str, default: Any) -> Any:
        return self._mapping.get(env_key) or default


def begins_with(*prefixes: str) -> Check:
    """A check that a value starts with one of `prefixes`; the value is not repeated, it may hold a password."""

    def check(value: str) -> None:
        if not value.startswith(prefixes):
            raise ValidationError(f"Must begin with {' or '.join(prefixes)}")

    return check
