"""Clients of Tandem, a recommendation backend."""

from tandem_client.aio import AsyncTandemClient
from tandem_client.client import TandemClient
from tandem_client.errors import reason_of, retry_after_s

__all__ = ["AsyncTandemClient", "TandemClient", "reason_of", "retry_after_s"]
