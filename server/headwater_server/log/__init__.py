"""The record log: every accepted fact, in order, for ever. Features know `port`; `app` picks the adapter."""
