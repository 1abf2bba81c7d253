"""The services, phrases, symptoms and regions that clamor knows: data files and their typed loader."""

from clamor.catalog.check import Finding, check
from clamor.catalog.loader import load, regions
from clamor.catalog.model import Catalog, Service, ServiceKind

__all__ = ["Catalog", "Finding", "Service", "ServiceKind", "check", "load", "regions"]
