"""The system of record of users: profiles, events, impressions, and the release pointer."""
