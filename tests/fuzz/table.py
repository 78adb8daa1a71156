"""All readers of files from outside, by name."""

from fuzz import body, configs, labelled, motion, pictures, scans, stores, weights

_TABLES = (motion, body, scans, pictures, labelled, weights, stores, configs)
READERS = {reader.name: reader for table in _TABLES for reader in table.READERS}
