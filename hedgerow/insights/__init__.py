"""One file, one kind of question: statements out, rows in, an answer back."""
