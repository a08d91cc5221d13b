"""The client for SynapTask, a server for live graphs of tasks."""

from ._async import AsyncClient, AsyncRest, State
from ._generated import *  # noqa: F403 – all that is generated is public
from ._live import AsyncLiveGraph, Graph, GraphState, Load, Violation
from ._sync import Client, LiveGraph, Rest, connect
from .errors import ConnectionLost, Refusal, SynapTaskError
from .follower import Follower
from .replica import Change, ChangedIds, GraphNode, Page, Replica, is_node, is_phantom

__version__ = "0.1.0"
