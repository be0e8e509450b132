"""The gateway and the mesh: one table of routes, policies and permitted calls, and what renders it.

Owns: `table` (what may be reached, by whom, how much and how long), `envoy` (the table as Envoy's
configuration, for the edge and for calls between services). Promises: every answer Envoy makes itself is a
problem document; nothing under /internal/ leaves the node; a service is called only by those the table names.
Knows no service's code.
"""
