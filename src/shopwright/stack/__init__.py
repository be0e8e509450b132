"""The embedded platform: real servers from wheels, their secrets and certificates, order of start,
supervision.

`parts` is the one page that says what runs; `bring_up` and `take_down` are the two commands. State lies in
one folder (`layout`); nothing outside it changes, except sockets in a short runtime directory when the
home's path is too long.
"""
