"""Every error that reelvet raises, in one tree.

Two branches hang from `ReelvetError`. What the caller can mend (a job, a configuration, a plugin) is a `CallerError`;
what went wrong while talking to a provider is a `ProviderError`. A job that ended badly at the vendor is neither: it
is a result with status `failed`.

All of them pickle, so they survive process pools and task queues (a ticket in one that may not leave the process with
its URL goes without), and each message says what to do next: what the place says that raises it, else what the class
knows (`default_way_out`).
"""

from reelvet.schema.errors.base import (
    ReelvetError,
)
from reelvet.schema.errors.caller import (
    CallerError,
    ConfigurationError,
    DuplicatePlugin,
    InvalidJob,
    InvalidOptions,
    InvalidTicket,
    JobFailed,
    KeyConflict,
    MissingSecret,
    NotFinished,
    PluginBroken,
    PluginError,
    PluginNotFound,
    SealRefused,
    UnknownInstance,
    UnknownLabel,
    UnsupportedFeature,
)
from reelvet.schema.errors.fetching import (
    FetchError,
    FetchRefused,
    FetchTooLarge,
    FetchTooSlow,
    NetworkDisabled,
)
from reelvet.schema.errors.keeping import JournalError
from reelvet.schema.errors.provider import (
    AuthenticationFailed,
    CallbackForged,
    CallbackRejected,
    CallbackUnsupported,
    CancelUnsupported,
    ConnectFailed,
    DeleteUnsupported,
    FeatureDisabled,
    InvalidRequest,
    LookupUnsupported,
    MediaRejected,
    OperationUnsupported,
    PermissionDenied,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    ReplyTooLarge,
    SubmitOutcomeUnknown,
    TaskConflict,
    TaskNotFound,
    TransportFailed,
    UnexpectedReply,
    VendorUnavailable,
    WaitTimeout,
)

__all__ = [
    "AuthenticationFailed",
    "CallbackForged",
    "CallbackRejected",
    "CallbackUnsupported",
    "CallerError",
    "CancelUnsupported",
    "ConfigurationError",
    "ConnectFailed",
    "DeleteUnsupported",
    "DuplicatePlugin",
    "FeatureDisabled",
    "FetchError",
    "FetchRefused",
    "FetchTooLarge",
    "FetchTooSlow",
    "InvalidJob",
    "InvalidOptions",
    "InvalidRequest",
    "InvalidTicket",
    "JobFailed",
    "JournalError",
    "KeyConflict",
    "LookupUnsupported",
    "MediaRejected",
    "MissingSecret",
    "NetworkDisabled",
    "NotFinished",
    "OperationUnsupported",
    "PermissionDenied",
    "PluginBroken",
    "PluginError",
    "PluginNotFound",
    "ProviderError",
    "QuotaExceeded",
    "RateLimited",
    "ReelvetError",
    "ReplyTooLarge",
    "SealRefused",
    "SubmitOutcomeUnknown",
    "TaskConflict",
    "TaskNotFound",
    "TransportFailed",
    "UnexpectedReply",
    "UnknownInstance",
    "UnknownLabel",
    "UnsupportedFeature",
    "VendorUnavailable",
    "WaitTimeout",
]
