"""How the studio looks: one file of colours and sizes, one generated stylesheet, the icons."""
