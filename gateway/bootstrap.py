"""The authz service's composition root: the one place where its adapters are chosen."""
