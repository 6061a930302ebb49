"""The API for a vendor's programs, /api/v1: everything the vendor can do, over HTTP."""
