"""The console and the API's pages, from our own files alone."""
