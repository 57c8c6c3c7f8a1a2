"""What listens: interfaces, registry, one adapter a file; the only place that imports ML packages."""
