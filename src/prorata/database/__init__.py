"""What every table may use: columns and guards that Django has not."""
