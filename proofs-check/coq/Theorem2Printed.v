(* Theorem 2 as the paper prints it.

   The paper claims E[average of a round] > c_0 > 0 for every round, from |omega| <= nu <= a_+ and
   c' = (|b_-| + nu)/b_+ < e^{c/3}/6. This file proves
   - [theorem2_printed_for_prepared_rounds]: the claim is true of every prepared round (so of every round but the
     first), if moreover the noise has conditional mean zero, with the paper's 1/T as well as with 1/(T+1);
   - [theorem2_printed_long_run]: under the same conditions the average over all iterations is positive;
   - [first_round_negative]: it is false of the first round, which can average -1/2 for every c > 1;
   - [zero_mean_noise_needed]: it is false of noise that need not have mean zero: then no number c_0 > 0 that depends
     on the constants only bounds the averages of the prepared rounds. *)
From Coq Require Import Reals Lra Lia List.
From Valleys Require Import Process Sgd Steps Pathwise RoundLength PerRound LongRun Deterministic PathwiseSharp.
Import ListNotations.
Open Scope R_scope.

(* The condition printed in the paper, with its c' = (B + nu)/b. *)
Definition printed_condition (b B c nu : R) : Prop := (B + nu) / b < exp (c / 3) / 6.

(* The printed condition makes c large: it implies (c-2) a > 3 nu. *)
Lemma printed_condition_large a b B c nu :
  0 < b -> b <= a -> 1 < c -> c * a <= B -> 0 <= nu -> nu <= a -> printed_condition b B c nu -> 3 * nu < (c - 2) * a.
Proof.
  unfold printed_condition. intros Hb Hba Hc HB Hnu Hna Hp.
  assert (Hcb : c <= (B + nu) / b).
  { apply (Rmult_le_reg_r b); auto. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. nra. }
  assert (H5 : 5 < c).
  { destruct (Rlt_or_le 5 c) as [|Hle]; auto. exfalso.
    assert (E3 : exp 1 <= 3) by apply exp_le_3.
    destruct (Rle_or_lt (c / 3) 1) as [L|L].
    - assert (exp (c / 3) <= exp 1) by (destruct L as [L|L]; [left; apply exp_increasing; auto|rewrite L; lra]). lra.
    - assert (X : exp (c / 3) < exp (1 + 1)) by (apply exp_increasing; lra). rewrite exp_plus in X.
      pose proof (exp_pos 1). nra. }
  nra.
Qed.

(* ... which is above the per-round threshold. *)
Lemma large_above_threshold a c nu : 0 < a -> 0 <= nu -> 3 * nu < (c - 2) * a -> per_round_threshold (nu / a) < c.
Proof.
  intros Ha Hn Hc. assert (E : nu = a * (nu / a)) by (field; lra). set (x := nu / a) in *.
  assert (Hx : 0 <= x) by (unfold x; apply Rmult_le_pos; [auto|left; apply Rinv_0_lt_compat; auto]).
  assert (3 * x < c - 2) by nra.
  unfold per_round_threshold. assert (Rmax 1 (Rmin (2 * x) (1 + x)) <= 1 + x); [|lra].
  apply Rmax_lub; [lra|apply Rmin_r].
Qed.

(* Theorem 2 as printed is true for prepared rounds, if the noise has conditional mean zero: there is c0 > 0, made of
   eta, a, b, c, nu only, such that the expected average of a prepared round is at least c0, whatever has happened
   before, up to a term const/(n+1) for the rounds cut at n steps; both with 1/(T+1) and with the printed 1/T. *)
Theorem theorem2_printed_for_prepared_rounds S step pos g eta a b B c nu :
  sgd S step pos g eta a b B c nu -> 1 < c -> nu <= a -> printed_condition b B c nu ->
  0 < c0 eta a b c nu /\ forall s, round_start S step pos (fall eta a nu) s ->
    exists C, forall n, c0 eta a b c nu - C / (INR n + 1) <= EP step n s (round_mean S pos) /\
                        c0 eta a b c nu - C / (INR n + 1) <= EP step n s (printed_mean pos).
Proof.
  intros H Hc Hn Hp. pose proof (sgd_is_any_mean H) as H0.
  assert (L : 3 * nu < (c - 2) * a) by (destruct H; eapply printed_condition_large; eauto).
  apply (per_round_headline S step pos g eta a b B c nu H).
  apply large_above_threshold; auto; [apply (a_pos H0)|apply (sg_nu H)].
Qed.

(* Theorem 2 as printed is true of the average over all iterations, which is what SGD averaging computes, from every
   start w_0 >= -D: the expected sum of the first n iterates is at least rho n - C, with rho > 0. *)
Theorem theorem2_printed_long_run S step pos g eta a b B c nu :
  sgd S step pos g eta a b B c nu -> 1 < c -> nu <= a -> printed_condition b B c nu ->
  0 < long_run_rate eta a b c nu /\
  forall n s, - fall eta a nu <= pos s ->
    INR n * long_run_rate eta a b c nu - long_run_constant eta a b B c nu <= EP step n s (path_sum S pos).
Proof.
  intros H Hc Hn Hp. pose proof (sgd_is_any_mean H) as H0.
  assert (L : 3 * nu < (c - 2) * a) by (destruct H; eapply printed_condition_large; eauto).
  apply (long_run_threshold_suffices S step pos g); auto.
  eapply Rle_lt_trans; [|apply (large_above_threshold a c nu); auto; [apply (a_pos H0)|apply (sg_nu H)]].
  assert (Hx : 0 <= nu / a).
  { apply Rmult_le_pos; [apply (sg_nu H)|]. left; apply Rinv_0_lt_compat, (a_pos H0). }
  unfold long_run_threshold, per_round_threshold.
  set (x := nu / a) in *. set (t := Rmax 1 (Rmin (2 * x) (1 + x))).
  assert (1 <= t) by apply Rmax_l.
  assert (t <= 1 + 2 * x) by (apply Rmax_lub; [lra|]; eapply Rle_trans; [apply Rmin_l|]; lra).
  apply Rmax_lub; lra.
Qed.

(* ---------------- the first round ---------------- *)

(* The plain two-slope valley, slope -c and 1, without noise. *)
Definition plain_slope (c w : R) : R := if Rlt_dec w 0 then - c else 1.
Definition plain_next (c w : R) : R := w - plain_slope c w.

Lemma plain_sgd c : sgd R (det_step (plain_next c)) (fun w => w) (plain_slope c) 1 1 1 c c 0.
Proof.
  split; try lra.
  - apply det_nonneg.
  - apply det_one.
  - intros s q s' E. rewrite (det_child _ _ _ _ E). unfold plain_next.
    replace (s - (s - plain_slope c s) - 1 * plain_slope c s) with 0 by ring. rewrite Rabs_R0. lra.
  - intros s. rewrite det_mean. unfold plain_next. lra.
  - intros s Hs. unfold plain_slope. destruct (Rlt_dec s 0); lra.
  - intros s Hs. unfold plain_slope. destruct (Rlt_dec s 0); lra.
Qed.

(* For every c > 1, however large, the first round can have a negative average: without noise, from w = -c, gradient
   descent goes to 0 and then to -1; the round (0, -1) averages -1/2. (Its start is not prepared: -c < -D = -1.) *)
Theorem first_round_negative c n : 1 < c ->
  sgd R (det_step (plain_next c)) (fun w => w) (plain_slope c) 1 1 1 c c 0 /\
  - c < - fall 1 1 0 /\ In (1, 0) (det_step (plain_next c) (- c)) /\
  EP (det_step (plain_next c)) (Datatypes.S n) 0 (round_mean R (fun w => w)) = - (1/2).
Proof.
  intros Hc. split; [apply plain_sgd|]. split; [unfold fall; lra|]. split.
  - left. f_equal. unfold plain_next, plain_slope. destruct (Rlt_dec (- c) 0); lra.
  - assert (E0 : plain_next c 0 = -1) by (unfold plain_next, plain_slope; destruct (Rlt_dec 0 0); lra).
    rewrite (round_is_mean (plain_next c) (fun w => w) _ _ (1 + 1) (0 + -1)); [lra|].
    apply (round_is_flat (plain_next c) (fun w => w)); [lra|]. rewrite E0.
    apply (round_is_last (plain_next c) (fun w => w)). lra.
Qed.

Lemma exp_double x y z : 0 <= y -> y <= exp x -> z <= y * y -> z <= exp (2 * x).
Proof.
  intros Hy He Hz. replace (2 * x) with (x + x) by ring. rewrite exp_plus.
  eapply Rle_trans; [exact Hz|]. apply Rmult_le_compat; auto.
Qed.

(* So the printed theorem is false of the first round: c = 30 with a = b = 1, B = 30, nu = 0 meets its condition. *)
Theorem printed_first_round_false n :
  sgd R (det_step (plain_next 30)) (fun w => w) (plain_slope 30) 1 1 1 30 30 0 /\ printed_condition 1 30 30 0 /\
  In (1, 0) (det_step (plain_next 30) (- 30)) /\
  EP (det_step (plain_next 30)) (Datatypes.S n) 0 (round_mean R (fun w => w)) < 0.
Proof.
  destruct (first_round_negative 30 n ltac:(lra)) as (A & _ & B & C).
  split; [exact A|]. split; [|split; [exact B|rewrite C; lra]].
  unfold printed_condition.
  assert (E1 : 9/4 <= exp (5/4)) by (pose proof (exp_ineq1 (5/4) ltac:(lra)); lra).
  assert (E2 : 5 <= exp (2 * (5/4))) by (apply (exp_double _ (9/4)); lra).
  assert (E3 : 25 <= exp (2 * (2 * (5/4)))) by (apply (exp_double _ 5); lra).
  assert (E4 : 625 <= exp (2 * (2 * (2 * (5/4))))) by (apply (exp_double _ 25); lra).
  replace (2 * (2 * (2 * (5/4)))) with (30 / 3) in E4 by field. lra.
Qed.

(* ---------------- noise whose mean is not zero ---------------- *)

(* The constants c = 16, a = 1, b = 1/2, nu = 1, B = 16 satisfy the printed condition: 34 < e^{16/3}/6. *)
Lemma printed_condition_example : printed_condition (1/2) 16 16 1.
Proof.
  unfold printed_condition.
  replace ((16 + 1) / (1 / 2)) with 34 by field. assert (E : 204 < exp (16/3)); [|lra].
  pose proof (exp_ineq1_le (1/384)) as E0.
  pose (x := 1/384). fold x in E0. assert (Hx : x = 1/384) by reflexivity. clearbody x.
  assert (E1 : 1.0052151 <= exp (2 * x)) by (apply (exp_double _ (1 + x)); nra).
  assert (E2 : 1.0104573 <= exp (4 * x)).
  { replace (4 * x) with (2 * (2 * x)) by ring. apply (exp_double _ 1.0052151); nra. }
  assert (E3 : 1.0210239 <= exp (8 * x)).
  { replace (8 * x) with (2 * (4 * x)) by ring. apply (exp_double _ 1.0104573); nra. }
  assert (E4 : 1.0424898 <= exp (16 * x)).
  { replace (16 * x) with (2 * (8 * x)) by ring. apply (exp_double _ 1.0210239); nra. }
  assert (E5 : 1.0867849 <= exp (32 * x)).
  { replace (32 * x) with (2 * (16 * x)) by ring. apply (exp_double _ 1.0424898); nra. }
  assert (E6 : 1.1811014 <= exp (64 * x)).
  { replace (64 * x) with (2 * (32 * x)) by ring. apply (exp_double _ 1.0867849); nra. }
  assert (E7 : 1.3950005 <= exp (128 * x)).
  { replace (128 * x) with (2 * (64 * x)) by ring. apply (exp_double _ 1.1811014); nra. }
  assert (E8 : 1.9460263 <= exp (256 * x)).
  { replace (256 * x) with (2 * (128 * x)) by ring. apply (exp_double _ 1.3950005); nra. }
  assert (E9 : 3.7870183 <= exp (512 * x)).
  { replace (512 * x) with (2 * (256 * x)) by ring. apply (exp_double _ 1.9460263); nra. }
  assert (E10 : 14.3415076 <= exp (1024 * x)).
  { replace (1024 * x) with (2 * (512 * x)) by ring. apply (exp_double _ 3.7870183); nra. }
  assert (E11 : 205.6788402 <= exp (2048 * x)).
  { replace (2048 * x) with (2 * (1024 * x)) by ring. apply (exp_double _ 14.3415076); nra. }
  replace (16/3) with (2048 * x) by (rewrite Hx; field). lra.
Qed.

(* The hypotheses of [theorem2_printed_for_prepared_rounds] are satisfiable, with noise as large as the paper allows:
   slopes 1/2 and -16, noise 1 or -1 with probability 1/2 each, and the start 15, which comes from the sharp -2. *)
Lemma printed_hypotheses_satisfiable : exists step g s,
  sgd R step (fun w => w) g 1 1 (1/2) 16 16 1 /\ printed_condition (1/2) 16 16 1 /\
  round_start R step (fun w => w) (fall 1 1 1) s.
Proof.
  set (g := fun w => if Rlt_dec w 0 then -16 else 1/2).
  exists (coin_step 1 g (fun _ => 1)), g, 15. split; [|split].
  - apply coin_sgd; try lra; intros w; unfold g; destruct (Rlt_dec w 0); lra.
  - apply printed_condition_example.
  - exists (-2), (1/2). unfold fall. repeat split; try lra. right. left. f_equal. unfold g.
    destruct (Rlt_dec (-2) 0); lra.
Qed.

(* The process that freezes. A node is (w, k), with k the number of steps it may still stand still in the round.
   Without noise and with slope 1 it goes down by 1 a step while w >= 1. Within [0, 1) it stands still for k steps,
   with slope 1/2 and noise -1/2, and then goes down by 1. From a sharp iterate it jumps up by 16 and gets K steps. *)
Section Freeze.
Variable K : nat.
Definition fpos (s : R * nat) : R := fst s.
Definition fnext (s : R * nat) : R * nat :=
  let (w, k) := s in
  if Rlt_dec w 0 then (w + 16, K) else if Rlt_dec w 1 then match k with
    | O => (w - 1, O)
    | Datatypes.S k' => (w, k')
    end else (w - 1, k).
Definition fslope (s : R * nat) : R :=
  let (w, k) := s in
  if Rlt_dec w 0 then -16 else if Rlt_dec w 1 then match k with O => 1 | Datatypes.S _ => 1/2 end else 1.

Lemma freeze_sgd : sgd_any_mean (R * nat) (det_step fnext) fpos fslope 1 1 (1/2) 16 16 1.
Proof.
  split; try lra.
  - apply det_nonneg.
  - apply det_one.
  - intros s q s' E. rewrite (det_child _ _ _ _ E). destruct s as [w k]. unfold fpos, fnext, fslope.
    destruct (Rlt_dec w 0); [|destruct (Rlt_dec w 1); [destruct k|]]; simpl; apply Rabs_le; lra.
  - intros [w k] Hs. unfold fpos, fslope in *. simpl in Hs.
    destruct (Rlt_dec w 0); [lra|destruct (Rlt_dec w 1); [destruct k|]]; lra.
  - intros [w k] Hs. unfold fpos, fslope in *. simpl in Hs. destruct (Rlt_dec w 0); lra.
Qed.

Lemma freeze_start : round_start (R * nat) (det_step fnext) fpos (fall 1 1 1) (15, K).
Proof.
  exists (-1, O), 1. unfold fpos, fall. simpl. repeat split; try lra. left. f_equal.
  destruct (Rlt_dec (-1) 0); [f_equal; lra|lra].
Qed.

(* Once at 0 with k steps to stand still, k + 2 iterates are left, of sum -1. *)
Lemma freeze_bottom n k : round_is fnext fpos (n + Datatypes.S k) (0, k) (2 + INR k) (-1).
Proof.
  induction k as [|k IH].
  - replace (n + 1)%nat with (Datatypes.S n) by lia.
    replace (2 + INR 0) with (1 + 1) by (simpl; lra).
    replace (-1) with (fpos (0, O) + -1) by (unfold fpos; simpl; lra).
    apply round_is_flat; [unfold fpos; simpl; lra|].
    replace (fnext (0, O)) with (-1, O).
    + apply (round_is_last fnext fpos). unfold fpos; simpl; lra.
    + simpl. destruct (Rlt_dec 0 0); [lra|]. destruct (Rlt_dec 0 1); [f_equal; lra|lra].
  - replace (n + Datatypes.S (Datatypes.S k))%nat with (Datatypes.S (n + Datatypes.S k)) by lia.
    replace (2 + INR (Datatypes.S k)) with (1 + (2 + INR k)) by (rewrite S_INR; lra).
    replace (-1) with (fpos (0, Datatypes.S k) + -1) by (unfold fpos; simpl; lra).
    apply round_is_flat; [unfold fpos; simpl; lra|].
    replace (fnext (0, Datatypes.S k)) with (0, k); [exact IH|].
    simpl. destruct (Rlt_dec 0 0); [lra|]. destruct (Rlt_dec 0 1); [auto|lra].
Qed.

(* From the height j: j + K + 2 iterates, of sum j (j+1)/2 - 1. *)
Lemma freeze_round n j :
  round_is fnext fpos (n + Datatypes.S K + j) (INR j, K) (INR j + 2 + INR K) (INR j * (INR j + 1) / 2 - 1).
Proof.
  induction j as [|j IH].
  - simpl INR. replace (0 + 2 + INR K) with (2 + INR K) by lra. replace (0 * (0 + 1) / 2 - 1) with (-1) by lra.
    rewrite Nat.add_0_r. apply freeze_bottom.
  - replace (n + Datatypes.S K + Datatypes.S j)%nat with (Datatypes.S (n + Datatypes.S K + j)) by lia.
    pose proof (pos_INR j) as Hj. rewrite S_INR.
    replace (INR j + 1 + 2 + INR K) with (1 + (INR j + 2 + INR K)) by lra.
    replace ((INR j + 1) * (INR j + 1 + 1) / 2 - 1)
      with (fpos (INR j + 1, K) + (INR j * (INR j + 1) / 2 - 1)) by (unfold fpos; simpl; field).
    apply round_is_flat; [unfold fpos; simpl; lra|].
    replace (fnext (INR j + 1, K)) with (INR j, K); [exact IH|].
    simpl. destruct (Rlt_dec (INR j + 1) 0); [lra|]. destruct (Rlt_dec (INR j + 1) 1); [lra|]. f_equal. lra.
Qed.

Lemma freeze_mean n : EP (det_step fnext) (n + Datatypes.S K + 15) (15, K) (round_mean (R * nat) fpos) =
                      119 / (17 + INR K).
Proof.
  pose proof (freeze_round n 15) as R. replace (INR 15) with 15 in R by (simpl; lra).
  rewrite (round_is_mean _ _ _ _ _ _ R). pose proof (pos_INR K). field. lra.
Qed.
End Freeze.

(* Without the mean-zero condition the printed theorem is false for prepared rounds too: c = 16, a = 1, b = 1/2,
   nu = 1, B = 16 meet every printed condition, and for every c_0 > 0 there are slopes and noise with these constants
   and a prepared round whose expected average is < c_0, once the horizon is long enough for the round to be over. *)
Theorem zero_mean_noise_needed c_0 : 0 < c_0 ->
  printed_condition (1/2) 16 16 1 /\
  exists step pos g s, sgd_any_mean (R * nat) step pos g 1 1 (1/2) 16 16 1 /\
    round_start (R * nat) step pos (fall 1 1 1) s /\
    exists n0, forall n, (n0 <= n)%nat -> EP step n s (round_mean (R * nat) pos) < c_0.
Proof.
  intros Hc. split; [apply printed_condition_example|].
  destruct (nat_above (119 / c_0)) as [K HK].
  exists (det_step (fnext K)), fpos, fslope, (15, K).
  split; [apply freeze_sgd|]. split; [apply freeze_start|].
  exists (Datatypes.S K + 15)%nat. intros n Hn.
  replace n with ((n - (Datatypes.S K + 15)) + Datatypes.S K + 15)%nat by lia. rewrite freeze_mean.
  pose proof (pos_INR K). apply (Rmult_lt_reg_r (17 + INR K)); [lra|].
  unfold Rdiv at 1. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
  assert (E : 119 = 119 / c_0 * c_0) by (field; lra). rewrite E at 1. nra.
Qed.
