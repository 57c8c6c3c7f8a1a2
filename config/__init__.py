"""Settings: the only readers of the environment.

Each process builds one frozen config at its start (`ApiConfig.from_env()`); all that is wrong is told in one
`ConfigError`. `SETTINGS` lists every environment variable, for the docs and for the test that reads them.
"""

from config.api import ApiConfig
from config.base import BaseConfig
from config.launch import LaunchConfig
from config.operating import OperatingConfig
from config.reading import ConfigError, Setting, settings_of
from config.weights import WeightsConfig
from config.worker import WorkerConfig

SETTINGS: tuple[Setting, ...] = tuple(
    {
        one.name: one for config_class in (ApiConfig, WorkerConfig, WeightsConfig) for one in settings_of(config_class)
    }.values()
)

__all__ = [
    "SETTINGS",
    "ApiConfig",
    "BaseConfig",
    "ConfigError",
    "LaunchConfig",
    "OperatingConfig",
    "Setting",
    "WeightsConfig",
    "WorkerConfig",
]
