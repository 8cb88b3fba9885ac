"""Ray behind one interface: the cluster a sweep runs on, and everything that uses Ray's private API."""
