module logstore.invalid/benchmark-ancestor

go 1.21

require github.com/lafikl/logstore v0.0.0-20160207155342-d0b8a319aac3
