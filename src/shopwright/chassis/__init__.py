"""What every service runs on: database, outbox and inbox, bus, saga engine, internal calls, problems,
telemetry.

Knows no service. A service composes these parts in its `app` room and hands a `Service` to `chassis.server`.
"""
