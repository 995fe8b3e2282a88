(* The pathwise bound (P) is attained by stochastic gradient descent itself.

   Without noise, with eta = a = 1, c = B = m + 1: an explicit valley in which the prepared round from the height m,
   n <= m < n + 1, is (m, m - 1, ..., r, 0, -1), with r = m - n. It has exactly the least sum of (P). The only
   condition is that the last step but one is possible: r >= b (or r = 0).

   The threshold is sharp too, for all constants and with noise of mean zero: if (c-2) a <= 3 nu (and w_min is a fall
   that one step can make), a prepared round can be (w_min, 0, -D), of sum w_min - D <= 0. *)
From Coq Require Import Reals Lra Lia List.
From Valleys Require Import Process Sgd Steps Pathwise Deterministic.
Import ListNotations.
Open Scope R_scope.

Section Steepest.
Variables b m : R.

(* Slope 1 on the flat side, but w itself at b <= w < 1, which leads to 0; slope -(m + 1) on the sharp side. *)
Definition steep_slope (w : R) : R :=
  if Rlt_dec w 0 then - (m + 1) else if Rlt_dec w b then 1 else if Rlt_dec w 1 then w else 1.
Definition steep_next (w : R) : R := w - steep_slope w.

Lemma steep_sgd : 0 < b <= 1 -> 0 <= m ->
  sgd R (det_step steep_next) (fun w => w) steep_slope 1 1 b (m + 1) (m + 1) 0.
Proof.
  intros Hb Hm. split; try lra.
  - apply det_nonneg.
  - apply det_one.
  - intros s q s' E. rewrite (det_child _ _ _ _ E). unfold steep_next.
    replace (s - (s - steep_slope s) - 1 * steep_slope s) with 0 by ring. rewrite Rabs_R0. lra.
  - intros s. rewrite det_mean. unfold steep_next. lra.
  - intros s Hs. unfold steep_slope. destruct (Rlt_dec s 0), (Rlt_dec s b), (Rlt_dec s 1); lra.
  - intros s Hs. unfold steep_slope. destruct (Rlt_dec s 0); lra.
Qed.

Lemma steep_bottom : 0 < b -> round_is steep_next (fun w => w) 1 0 2 (-1).
Proof.
  intros Hb. replace 2 with (1 + 1) by ring. replace (-1) with (0 + -1) by ring.
  apply (round_is_flat steep_next (fun w => w)); [lra|].
  replace (steep_next 0) with (-1).
  - apply (round_is_last steep_next (fun w => w)). lra.
  - unfold steep_next, steep_slope. destruct (Rlt_dec 0 0), (Rlt_dec 0 b); lra.
Qed.

(* The round from r + n, for b <= r < 1: n + 3 iterates. *)
Lemma steep_round r n : 0 < b -> b <= r < 1 ->
  round_is steep_next (fun w => w) (n + 2) (r + INR n) (INR n + 3) (least_sum 1 (r + INR n) (INR n)).
Proof.
  intros Hb Hr. induction n as [|n IH].
  - simpl INR. replace (0 + 3) with (1 + 2) by ring.
    replace (least_sum 1 (r + 0) 0) with (r + -1) by (unfold least_sum; field). rewrite Rplus_0_r.
    apply (round_is_flat steep_next (fun w => w)); [lra|].
    replace (steep_next r) with 0; [apply steep_bottom; auto|].
    unfold steep_next, steep_slope. destruct (Rlt_dec r 0), (Rlt_dec r b), (Rlt_dec r 1); lra.
  - rewrite S_INR. pose proof (pos_INR n) as Hn.
    replace (INR n + 1 + 3) with (1 + (INR n + 3)) by ring.
    replace (least_sum 1 (r + (INR n + 1)) (INR n + 1))
      with (r + (INR n + 1) + least_sum 1 (r + INR n) (INR n)) by (unfold least_sum; field).
    apply (round_is_flat steep_next (fun w => w)); [lra|].
    replace (steep_next (r + (INR n + 1))) with (r + INR n); [exact IH|].
    unfold steep_next, steep_slope.
    destruct (Rlt_dec (r + (INR n + 1)) 0), (Rlt_dec (r + (INR n + 1)) b), (Rlt_dec (r + (INR n + 1)) 1); lra.
Qed.

(* The round from n: n + 2 iterates. *)
Lemma steep_round_integer n : 0 < b <= 1 ->
  round_is steep_next (fun w => w) (n + 1) (INR n) (INR n + 2) (least_sum 1 (INR n) (INR n)).
Proof.
  intros Hb. induction n as [|n IH].
  - simpl INR. replace (0 + 2) with 2 by ring. replace (least_sum 1 0 0) with (-1) by (unfold least_sum; field).
    apply steep_bottom; lra.
  - rewrite S_INR. pose proof (pos_INR n) as Hn.
    replace (INR n + 1 + 2) with (1 + (INR n + 2)) by ring.
    replace (least_sum 1 (INR n + 1) (INR n + 1)) with (INR n + 1 + least_sum 1 (INR n) (INR n))
      by (unfold least_sum; field).
    apply (round_is_flat steep_next (fun w => w)); [lra|].
    replace (steep_next (INR n + 1)) with (INR n); [exact IH|].
    unfold steep_next, steep_slope.
    destruct (Rlt_dec (INR n + 1) 0), (Rlt_dec (INR n + 1) b), (Rlt_dec (INR n + 1) 1); lra.
Qed.

(* (P), sharpness for the process. For c = m + 1 there is an [sgd] process (no noise, D = 1) with a prepared round
   from the height m = w_min whose sum is exactly the least sum of (P). *)
Theorem pathwise_bound_attained_by_process n : 0 < b <= 1 -> INR n <= m < INR n + 1 -> m = INR n \/ b <= m - INR n ->
  sgd R (det_step steep_next) (fun w => w) steep_slope 1 1 b (m + 1) (m + 1) 0 /\
  w_min 1 1 (m + 1) 0 = m /\ round_start R (det_step steep_next) (fun w => w) (fall 1 1 0) m /\
  exists l, chain (det_step steep_next) (m :: l) /\ complete R (fun w => w) (m :: l) = true /\
            pos_sum R (fun w => w) (round R (fun w => w) (m :: l)) = least_sum 1 m (INR n).
Proof.
  intros Hb Hm Hr. pose proof (pos_INR n) as Hn. split; [apply steep_sgd; lra|]. split; [unfold w_min; ring|].
  split.
  { exists (-1), 1. unfold fall. repeat split; try lra. left. f_equal. unfold steep_next, steep_slope.
    destruct (Rlt_dec (-1) 0); lra. }
  assert (T : forall k j t, round_is steep_next (fun w => w) k m j t ->
    exists l, chain (det_step steep_next) (m :: l) /\ complete R (fun w => w) (m :: l) = true /\
            pos_sum R (fun w => w) (round R (fun w => w) (m :: l)) = t).
  { intros k j t (R1 & R2 & R3).
    assert (E : exists l, trace steep_next k m = m :: l) by (destruct k; simpl; eauto).
    destruct E as [l E]. exists l. rewrite <- E. split; [apply trace_chain|auto]. }
  destruct Hr as [Hr|Hr].
  - rewrite <- Hr. pose proof (steep_round_integer n Hb) as R. rewrite <- Hr in R. eapply T; eauto.
  - pose proof (steep_round (m - INR n) n ltac:(lra) ltac:(lra)) as R.
    replace (m - INR n + INR n) with m in R by ring. eapply T; eauto.
Qed.
End Steepest.

(* ---------------- the threshold (c-2) a > 3 nu ---------------- *)

(* A process with symmetric noise: slope g(w), noise o(w) or -o(w), each with probability 1/2. *)
Section Coin.
Variables (eta a b B c nu : R) (g o : R -> R).
Definition coin_step (w : R) : list (R * R) := [(1/2, w - eta * (g w + o w)); (1/2, w - eta * (g w - o w))].

Lemma coin_sgd : 0 < eta -> 0 < b -> b <= a -> 0 <= nu -> c * a <= B ->
  (forall w, 0 <= w -> b <= g w <= a) -> (forall w, w < 0 -> - B <= g w <= - (c * a)) ->
  (forall w, - nu <= o w <= nu) -> sgd R coin_step (fun w => w) g eta a b B c nu.
Proof.
  intros He Hb Hba Hn HB Hf Hs Ho. split; auto.
  - intros s q s' [E|[E|[]]]; inversion E; lra.
  - intros s. unfold wtot. simpl. lra.
  - intros s q s' Hin. destruct (Ho s) as [O1 O2].
    assert (M : eta * - nu <= eta * o s /\ eta * o s <= eta * nu) by (split; apply Rmult_le_compat_l; lra).
    destruct Hin as [E|[E|[]]]; inversion E; apply Rabs_le; lra.
  - intros s. simpl. lra.
Qed.
End Coin.

Section Threshold.
Variables (eta a b c nu : R).
Let wm := w_min eta a c nu.
Let D := fall eta a nu.

(* The slope of the step from w_min to 0, as close to w_min / eta as the bounds allow; the noise does the rest. *)
Definition drop_slope : R := Rmax b (Rmin a (wm / eta)).
Definition threshold_slope (w : R) : R :=
  if Rlt_dec w 0 then - (c * a) else if Req_EM_T w 0 then a else if Req_EM_T w wm then drop_slope else a.
Definition threshold_noise (w : R) : R :=
  if Rlt_dec w 0 then nu else if Req_EM_T w 0 then nu else if Req_EM_T w wm then wm / eta - drop_slope else nu.

(* (P), sharpness of the threshold. If (c-2) a <= 3 nu, with (c-1) a >= b + nu (and >= 2 nu), there is an [sgd]
   process with these constants, with noise of mean zero, and a prepared round (w_min, 0, -D) of it, of sum <= 0. *)
Theorem pathwise_threshold_sharp : 0 < eta -> 0 < b -> b <= a -> 0 <= nu -> 2 * nu <= (c - 1) * a ->
  b + nu <= (c - 1) * a -> (c - 2) * a <= 3 * nu ->
  exists step g, sgd R step (fun w => w) g eta a b (c * a) c nu /\
    exists s l, round_start R step (fun w => w) D s /\ chain step (s :: l) /\
      complete R (fun w => w) (s :: l) = true /\ pos_sum R (fun w => w) (round R (fun w => w) (s :: l)) = wm - D /\
      wm - D <= 0.
Proof.
  intros He Hb Hba Hn H1 H2 H3.
  assert (Ew : wm / eta = (c - 1) * a - 2 * nu) by (unfold wm, w_min; field; lra).
  assert (HwD : wm - D <= 0).
  { unfold wm, D, w_min, fall. assert (eta * ((c - 1) * a - 2 * nu) <= eta * (a + nu)); [|lra].
    apply Rmult_le_compat_l; lra. }
  assert (Hw0 : 0 <= wm) by (unfold wm, w_min; apply Rmult_le_pos; lra).
  assert (HD : 0 < D) by (unfold D, fall; apply Rmult_lt_0_compat; lra).
  assert (Hd : b <= drop_slope <= a /\ - nu <= wm / eta - drop_slope <= nu).
  { unfold drop_slope. rewrite Ew. unfold Rmax, Rmin.
    destruct (Rle_dec a ((c - 1) * a - 2 * nu)).
    - destruct (Rle_dec b a); lra.
    - destruct (Rle_dec b ((c - 1) * a - 2 * nu)); lra. }
  exists (coin_step eta threshold_slope threshold_noise), threshold_slope. split.
  - apply coin_sgd; auto; try lra.
    + intros w Hw. unfold threshold_slope.
      destruct (Rlt_dec w 0), (Req_EM_T w 0), (Req_EM_T w wm); lra.
    + intros w Hw. unfold threshold_slope. destruct (Rlt_dec w 0); lra.
    + intros w. unfold threshold_noise. destruct (Rlt_dec w 0), (Req_EM_T w 0), (Req_EM_T w wm); lra.
  - assert (S1 : In (1/2, wm) (coin_step eta threshold_slope threshold_noise (- D))).
    { left. f_equal. unfold threshold_slope, threshold_noise. destruct (Rlt_dec (- D) 0); [|lra].
      unfold wm, w_min, D, fall. ring. }
    assert (S2 : In (1/2, - D) (coin_step eta threshold_slope threshold_noise 0)).
    { left. f_equal. unfold threshold_slope, threshold_noise.
      destruct (Rlt_dec 0 0); [lra|]. destruct (Req_EM_T 0 0); [|lra]. unfold D, fall. ring. }
    exists wm. destruct (Req_EM_T wm 0) as [E|E].
    + exists [- D]. split; [exists (- D), (1/2); repeat split; auto; lra|].
      split; [split; [exists (1/2); rewrite E; exact S2|simpl; auto]|]. simpl.
      destruct (Rlt_dec wm 0); [lra|]. destruct (Rlt_dec (- D) 0); [|lra]. simpl. repeat split; lra.
    + assert (S3 : In (1/2, 0) (coin_step eta threshold_slope threshold_noise wm)).
      { left. f_equal. unfold threshold_slope, threshold_noise. destruct (Rlt_dec wm 0); [lra|].
        destruct (Req_EM_T wm 0); [lra|]. destruct (Req_EM_T wm wm); [|lra]. field. lra. }
      exists [0; - D]. split; [exists (- D), (1/2); repeat split; auto; lra|].
      split; [split; [exists (1/2); exact S3|split; [exists (1/2); exact S2|simpl; auto]]|]. simpl.
      destruct (Rlt_dec wm 0); [lra|]. destruct (Rlt_dec 0 0); [lra|]. destruct (Rlt_dec (- D) 0); [|lra].
      simpl. repeat split; lra.
Qed.
End Threshold.
