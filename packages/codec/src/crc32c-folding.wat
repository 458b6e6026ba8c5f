;; The loops of crc32c-folding.ts, which explains them. `crc32c-folding.test.ts` assembles this file
;; and compares it with the bytes in crc32c-folding-module.ts.
;;
;; Each function adds to every vector of 16 bytes from $to on the vectors at fixed distances before
;; $at, which are final by then. Both advance until $at reaches $end.
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
      (br_if $next (i32.lt_u (local.get $at) (local.get $end))))))
