"""What every service needs around its work: server, errors, checks, stages, settings."""
