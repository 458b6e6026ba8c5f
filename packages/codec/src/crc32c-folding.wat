;; The loops of crc32c-folding.ts, which explains them. `crc32c-folding.test.ts` assembles this file
;; and compares it with the bytes in crc32c-folding-module.ts.
;;
;; The functions that fold add to every vector of 16 bytes from $to on those at fixed distances
;; before $at, which are final by then. Both advance until $at reaches $end. The memory begins with
;; the tables for the function that looks up; see crc32c-tables.ts.
(module
  (memory (export "memory") 3)

  ;; The vectors that are 12, 27, 68, 74, 75, 79 and 92 vectors before $at.
  (func (export "foldNear") (param $at i32) (param $end i32) (param $to i32)
    (local $window i32) ;; 92 vectors before $at
    (local.set $window (i32.sub (local.get $at) (i32.const 1472)))
    (loop $next
      (local.get $to)
      (v128.load (local.get $to))
      (v128.xor (v128.load offset=1280 (local.get $window)))
      (v128.xor (v128.load offset=1040 (local.get $window)))
      (v128.xor (v128.load offset=384 (local.get $window)))
      (v128.xor (v128.load offset=288 (local.get $window)))
      (v128.xor (v128.load offset=272 (local.get $window)))
      (v128.xor (v128.load offset=208 (local.get $window)))
      (v128.xor (v128.load offset=0 (local.get $window)))
      (v128.store)
      (local.set $window (i32.add (local.get $window) (i32.const 16)))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $end)))))

  ;; The 16 bytes that are 1278, 1565 and 5424 bytes before $at.
  (func (export "foldFar") (param $at i32) (param $end i32) (param $to i32)
    (local $window i32) ;; 5424 bytes before $at
    (local.set $window (i32.sub (local.get $at) (i32.const 5424)))
    (loop $next
      (local.get $to)
      (v128.load (local.get $to))
      (v128.xor (v128.load offset=4146 align=1 (local.get $window)))
      (v128.xor (v128.load offset=3859 align=1 (local.get $window)))
      (v128.xor (v128.load offset=0 (local.get $window)))
      (v128.store)
      (local.set $window (i32.add (local.get $window) (i32.const 16)))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $end)))))

  ;; Continues the state of a checksum over the bytes from $at to $end, with 16 look-ups for 16 bytes.
  ;; The table for byte i of these begins at 1024 * (15 - i). What needs $state is looked up last, so
  ;; that the other look-ups do not wait for the step before.
  (func (export "lookUp") (param $at i32) (param $end i32) (param $state i32) (result i32)
    (local $a i32) (local $b i32) (local $c i32) (local $d i32)
    (block $few
      (loop $next
        (br_if $few (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 16)))
        (local.set $a (i32.xor (local.get $state) (i32.load (local.get $at))))
        (local.set $b (i32.load offset=4 (local.get $at)))
        (local.set $c (i32.load offset=8 (local.get $at)))
        (local.set $d (i32.load offset=12 (local.get $at)))
        (i32.load offset=3072 (i32.and (i32.shl (local.get $d) (i32.const 2)) (i32.const 1020)))
        (i32.load offset=2048 (i32.and (i32.shr_u (local.get $d) (i32.const 6)) (i32.const 1020)))
        (i32.load offset=1024 (i32.and (i32.shr_u (local.get $d) (i32.const 14)) (i32.const 1020)))
        (i32.load offset=0 (i32.and (i32.shr_u (local.get $d) (i32.const 22)) (i32.const 1020)))
        (i32.xor) (i32.xor) (i32.xor)
        (i32.load offset=7168 (i32.and (i32.shl (local.get $c) (i32.const 2)) (i32.const 1020)))
        (i32.load offset=6144 (i32.and (i32.shr_u (local.get $c) (i32.const 6)) (i32.const 1020)))
        (i32.load offset=5120 (i32.and (i32.shr_u (local.get $c) (i32.const 14)) (i32.const 1020)))
        (i32.load offset=4096 (i32.and (i32.shr_u (local.get $c) (i32.const 22)) (i32.const 1020)))
        (i32.xor) (i32.xor) (i32.xor)
        (i32.load offset=11264 (i32.and (i32.shl (local.get $b) (i32.const 2)) (i32.const 1020)))
        (i32.load offset=10240 (i32.and (i32.shr_u (local.get $b) (i32.const 6)) (i32.const 1020)))
        (i32.load offset=9216 (i32.and (i32.shr_u (local.get $b) (i32.const 14)) (i32.const 1020)))
        (i32.load offset=8192 (i32.and (i32.shr_u (local.get $b) (i32.const 22)) (i32.const 1020)))
        (i32.xor) (i32.xor) (i32.xor)
        (i32.load offset=15360 (i32.and (i32.shl (local.get $a) (i32.const 2)) (i32.const 1020)))
        (i32.load offset=14336 (i32.and (i32.shr_u (local.get $a) (i32.const 6)) (i32.const 1020)))
        (i32.load offset=13312 (i32.and (i32.shr_u (local.get $a) (i32.const 14)) (i32.const 1020)))
        (i32.load offset=12288 (i32.and (i32.shr_u (local.get $a) (i32.const 22)) (i32.const 1020)))
        (i32.xor) (i32.xor) (i32.xor)
        (i32.xor) (i32.xor) (i32.xor)
        (local.set $state)
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $next)))
    (block $none
      (loop $next
        (br_if $none (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $a (i32.xor (local.get $state) (i32.load8_u (local.get $at))))
        (i32.load offset=0 (i32.and (i32.shl (local.get $a) (i32.const 2)) (i32.const 1020)))
        (local.set $state (i32.xor (i32.shr_u (local.get $state) (i32.const 8))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (local.get $state)))
