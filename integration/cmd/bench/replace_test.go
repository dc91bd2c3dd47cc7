package main

import "testing"

func TestReplaceTables(t *testing.T) {
	const page = "# A\n\nText.\n\n| one | b |\n| --- | --- |\n| 1 | 2 |\n\nMore | text.\n\n| two |\n| --- |\n| 3 |\n"
	got, err := withTables(page, "| two |\n| --- |\n| 5 |\n\n| one | b |\n| --- | --- |\n| 7 | 8 |\n| 9 | 9 |\n")
	const want = "# A\n\nText.\n\n| one | b |\n| --- | --- |\n| 7 | 8 |\n| 9 | 9 |\n\nMore | text.\n\n| two |\n| --- |\n| 5 |\n"
	if err != nil || got != want {
		t.Errorf("got %q, %v\nwant %q", got, err, want)
	}
	if _, err := withTables(page, "| three |\n| --- |\n| 1 |\n"); err == nil {
		t.Error("no error for a table that the page does not have")
	}
}
