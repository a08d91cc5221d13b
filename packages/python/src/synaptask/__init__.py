"""The client for SynapTask, a server for live graphs of tasks."""

from . import _generated
from ._async import AsyncClient, AsyncRest, State
from ._generated import *
from ._live import AsyncLiveGraph, Graph, GraphState, Load, Violation
from ._sync import Client, LiveGraph, Rest, connect
from .errors import ConnectionLost, Refusal, SynapTaskError
from .follower import Follower
from .replica import Change, ChangedIds, GraphNode, Page, Replica, is_node, is_phantom

__version__ = "0.1.0"

__all__ = [
    "AsyncClient",
    "AsyncLiveGraph",
    "AsyncRest",
    "Change",
    "ChangedIds",
    "Client",
    "ConnectionLost",
    "Follower",
    "Graph",
    "GraphNode",
    "GraphState",
    "LiveGraph",
    "Load",
    "Page",
    "Refusal",
    "Replica",
    "Rest",
    "State",
    "SynapTaskError",
    "Violation",
    "connect",
    "is_node",
    "is_phantom",
]
# All that is generated is public.
__all__ += _generated.__all__
