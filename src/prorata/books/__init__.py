"""The vendor's books: what was issued as entries of a journal, and what was earned since, to be exported."""
