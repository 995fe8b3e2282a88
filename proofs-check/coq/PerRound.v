(* Theorem 2, the per-round statement (C): the expected average of one round of stochastic gradient descent.

   With D, theta and w_min of Steps.v, beta = eta b and Q(w) = max(w, w (w + D) / (2 D)): if (c-1) a >= 2 nu and
   Q(w_min) > theta, the expected average of every prepared round is at least
       c0 = (Q(w_min) - theta) / (1 + (w_min + theta) / beta) > 0,
   and such a round is over with probability 1, within 1 + (w_0 + theta) / beta iterates on average (RoundLength.v).
   The number c0 depends on eta, a, b, c, nu only (not on B). In units of a (and of eta a for theta) the condition is
   c > 1 + 2 nu + theta.

   An average over a round is defined on paths on which the round is over. Expectations are taken over the paths of n
   steps, with 0 in place of the average where the round is not over; a term that vanishes like 1/n pays for that, and
   the limit forms below say what is left of it. The paper sums the T + 1 iterates of a round and divides by T; all is
   stated for both normalisations, 1/(T + 1) ([round_mean]) and 1/T ([printed_mean]). *)
From Coq Require Import Reals Lra Lia List.
From Valleys Require Import Process Sgd Steps Pathwise RoundLength.
Import ListNotations.
Open Scope R_scope.

(* Q(w): the flat iterates of a round that starts at the height w sum to at least this. *)
Definition Qf (D w : R) : R := Rmax w (w * (w + D) / (2 * D)).
(* c0 as a function of D, theta, beta and the starting height *)
Definition c0f (D th bb w : R) : R := (Qf D w - th) / (1 + (w + th) / bb).
(* the per-round constant of the paper's setting *)
Definition c0 (eta a b c nu : R) : R :=
  c0f (fall eta a nu) (overshoot eta a nu) (eta * b) (w_min eta a c nu).

(* The average as it is printed in the paper: the sum of the T + 1 iterates of a round divided by T. *)
Definition printed_mean {S} (pos : S -> R) (l : list S) : R :=
  if complete S pos l then pos_sum S pos (round S pos l) / (len S (round S pos l) - 1) else 0.

(* ---------------- Q and c0 grow with the starting height ---------------- *)
Lemma Qf_mono_ratio D w0 w : 0 < D -> 0 <= w0 <= w -> Qf D w0 * w <= Qf D w * w0 /\ Qf D w0 <= Qf D w.
Proof.
  intros HD Hw. unfold Qf.
  assert (Hi : 0 < / (2 * D)) by (apply Rinv_0_lt_compat; lra).
  set (h := / (2 * D)) in *.
  assert (E : forall x, x * (x + D) / (2 * D) = x * (x + D) * h) by reflexivity. rewrite !E.
  assert (A1 : w0 * (w0 + D) * h * w <= w * (w + D) * h * w0).
  { replace (w * (w + D) * h * w0) with (w0 * (w0 + D) * h * w + h * (w * w0 * (w - w0))) by ring.
    assert (0 <= h * (w * w0 * (w - w0))); [|lra].
    apply Rmult_le_pos; [lra|]. apply Rmult_le_pos; [apply Rmult_le_pos; lra|lra]. }
  assert (A2 : w0 * (w0 + D) * h <= w * (w + D) * h).
  { apply Rmult_le_compat_r; [lra|]. apply Rmult_le_compat; lra. }
  split.
  - unfold Rmax at 1. destruct (Rle_dec w0 (w0 * (w0 + D) * h)).
    + eapply Rle_trans; [exact A1|]. apply Rmult_le_compat_r; [lra|apply Rmax_r].
    + rewrite Rmult_comm. apply Rmult_le_compat_r; [lra|apply Rmax_l].
  - apply Rmax_lub; [eapply Rle_trans; [|apply Rmax_l]; lra | eapply Rle_trans; [|apply Rmax_r]; lra].
Qed.

Lemma c0f_mono D th bb w0 w : 0 < D -> 0 <= th -> 0 < bb -> 0 <= w0 <= w -> c0f D th bb w0 <= c0f D th bb w.
Proof.
  intros HD Ht Hb Hw. destruct (Qf_mono_ratio D w0 w HD Hw) as [A1 A2]. unfold c0f.
  set (q0 := Qf D w0) in *. set (q := Qf D w) in *.
  assert (E : forall x, 1 + (x + th) / bb = (bb + x + th) / bb) by (intros; field; lra). rewrite !E.
  replace ((q0 - th) / ((bb + w0 + th) / bb)) with ((q0 - th) * bb / (bb + w0 + th)) by (field; lra).
  replace ((q - th) / ((bb + w + th) / bb)) with ((q - th) * bb / (bb + w + th)) by (field; lra).
  apply (Rmult_le_reg_r ((bb + w0 + th) * (bb + w + th))); [apply Rmult_lt_0_compat; lra|].
  replace ((q0 - th) * bb / (bb + w0 + th) * ((bb + w0 + th) * (bb + w + th)))
    with (bb * ((q0 - th) * (bb + w + th))) by (field; lra).
  replace ((q - th) * bb / (bb + w + th) * ((bb + w0 + th) * (bb + w + th)))
    with (bb * ((q - th) * (bb + w0 + th))) by (field; lra).
  apply Rmult_le_compat_l; [lra|].
  assert (0 <= (bb + th) * (q - q0)) by (apply Rmult_le_pos; lra).
  assert (0 <= th * (w - w0)) by (apply Rmult_le_pos; lra). lra.
Qed.

Section OneRound.
Context {S : Type} {step : S -> list (R * S)} {pos g : S -> R} {eta a b B c nu : R}.
Context (H : sgd S step pos g eta a b B c nu).
Let H0 := sgd_is_any_mean H.
Let step_nonneg := sg_nonneg H.
Let step_one := sg_one H.
Let D := fall eta a nu.
Let theta := overshoot eta a nu.
Let b' := eta * b.

Local Notation round := (round S pos).
Local Notation complete := (complete S pos).
Local Notation len := (len S).

(* the sum of the flat iterates of a list *)
Fixpoint flat_sum (l : list S) : R := match l with [] => 0 | s :: r => Rmax 0 (pos s) + flat_sum r end.

(* A round in progress that has k iterates so far, of sum T, and that goes on along l: its average once it is over, as
   it is (A), and with the last iterate replaced by -theta (F). *)
Let A (T k : R) (l : list S) : R := if complete l then (T + pos_sum S pos (round l)) / (k + len (round l)) else 0.
Let F (T k : R) (l : list S) : R := if complete l then (T + flat_sum (round l) - theta) / (k + len (round l)) else 0.

Lemma A_flat T k s l : 0 <= pos s -> A T k (s :: l) = A (T + pos s) (k + 1) l.
Proof.
  intros Hs. unfold A. rewrite complete_tail, round_tail by auto. destruct (complete l); auto.
  simpl pos_sum. rewrite len_cons. f_equal; ring.
Qed.
Lemma F_flat T k s l : 0 <= pos s -> F T k (s :: l) = F (T + pos s) (k + 1) l.
Proof.
  intros Hs. unfold F. rewrite complete_tail, round_tail by auto. destruct (complete l); auto.
  simpl flat_sum. rewrite len_cons, Rmax_right by lra. f_equal; ring.
Qed.
Lemma complete_sharp s l : pos s < 0 -> complete (s :: l) = true.
Proof. intros Hs. simpl. destruct (Rlt_dec (pos s) 0); [auto|lra]. Qed.

(* In expectation, the last iterate of a round may be replaced by -theta. *)
Lemma replace_last n : forall s T k, 0 <= pos s -> -1 <= k -> EP step n s (F T k) <= EP step n s (A T k).
Proof.
  induction n as [|n IH]; intros s T k Hs Hk.
  - simpl EP. unfold A, F. simpl. destruct (Rlt_dec (pos s) 0); lra.
  - simpl EP.
    assert (EA : forall q s', In (q, s') (step s) ->
       EP step n s' (fun l => A T k (s :: l)) = EP step n s' (A (T + pos s) (k + 1))).
    { intros. apply EP_eq; auto. intros; apply A_flat; auto. }
    assert (EF : forall q s', In (q, s') (step s) ->
       EP step n s' (fun l => F T k (s :: l)) = EP step n s' (F (T + pos s) (k + 1))).
    { intros. apply EP_eq; auto. intros; apply F_flat; auto. }
    rewrite (Esum_ext S _ _ _ EA), (Esum_ext S _ _ _ EF). clear EA EF.
    assert (Hk2 : 0 < / (k + 1 + 1)) by (apply Rinv_0_lt_compat; lra).
    apply Rle_trans with (Esum (step s) (fun s' => EP step n s' (F (T + pos s) (k + 1)) +
        / (k + 1 + 1) * (if Rlt_dec (pos s') 0 then pos s' + theta else 0))).
    + rewrite Esum_plus, Esum_scal. pose proof (mean_overshoot H s Hs) as O. fold theta in O. nra.
    + apply step_le; auto. intros q s' Hin. destruct (Rlt_dec (pos s') 0) as [Hn|Hp].
      * rewrite (EP_eq S step step_nonneg n s' (F (T + pos s) (k + 1)) (fun _ => (T + pos s - theta) / (k + 1 + 1))).
        2:{ intros l _. unfold F. rewrite complete_sharp, round_sharp by auto. simpl. rewrite Rmax_left by lra.
            unfold len; simpl. f_equal. ring. }
        rewrite (EP_eq S step step_nonneg n s' (A (T + pos s) (k + 1)) (fun _ => (T + pos s + pos s') / (k + 1 + 1))).
        2:{ intros l _. unfold A. rewrite complete_sharp, round_sharp by auto. simpl.
            unfold len; simpl. f_equal. ring. }
        rewrite !EP_const by auto. unfold Rdiv. apply Req_le. ring.
      * rewrite Rmult_0_r, Rplus_0_r. apply IH; lra.
Qed.

(* On every path, the flat iterates of a complete round sum to at least Q(w_0). *)
Lemma flat_sum_lower l : forall s, chain step (s :: l) -> complete (s :: l) = true -> 0 <= pos s ->
  Qf D (pos s) <= flat_sum (round (s :: l)).
Proof.
  pose proof (fall_pos H0) as HD. fold D in HD. unfold Qf.
  assert (Hi : / (2 * D) * (2 * D) = 1) by (field; lra).
  induction l as [|s' r IH]; intros s Hc Hco Hs.
  - simpl in Hco. destruct (Rlt_dec (pos s) 0); [lra|discriminate].
  - rewrite complete_tail in Hco by auto.
    destruct Hc as [[q Hin] Hc]. pose proof (flat_child H0 _ _ _ Hs Hin) as Hstep. fold D in Hstep.
    rewrite round_tail by auto.
    change (flat_sum (s :: round (s' :: r))) with (Rmax 0 (pos s) + flat_sum (round (s' :: r))).
    replace (Rmax 0 (pos s)) with (pos s) by (rewrite Rmax_right; lra).
    destruct (Rlt_or_le (pos s') 0) as [Hn|Hp].
    + assert (E : flat_sum (round (s' :: r)) = 0).
      { rewrite round_sharp by auto. simpl. rewrite Rmax_left by lra. ring. }
      rewrite E. apply Rmax_lub; [lra|]. assert (HwD : pos s < D) by lra.
      assert (0 <= pos s * (D - pos s)) by (apply Rmult_le_pos; lra).
      apply (Rmult_le_reg_r (2 * D)); [lra|]. unfold Rdiv. rewrite Rmult_assoc, Hi. lra.
    + specialize (IH s' Hc Hco Hp).
      assert (I1 := Rle_trans _ _ _ (Rmax_l _ _) IH). assert (I2 := Rle_trans _ _ _ (Rmax_r _ _) IH).
      apply Rmax_lub; [lra|].
      apply Rle_trans with (pos s + pos s' * (pos s' + D) / (2 * D)); [|lra].
      apply (Rmult_le_reg_r (2 * D)); [lra|]. unfold Rdiv. rewrite Rmult_plus_distr_r, !Rmult_assoc, Hi.
      destruct (Rle_or_lt D (pos s)) as [C|C].
      * assert (0 <= (pos s' - (pos s - D)) * (pos s' + pos s)) by (apply Rmult_le_pos; lra). lra.
      * assert (0 <= pos s * (D - pos s)) by (apply Rmult_le_pos; lra).
        assert (0 <= pos s' * (pos s' + D)) by (apply Rmult_le_pos; lra). lra.
Qed.

(* ---------------- the average of a round ---------------- *)

Lemma F_lower n s : 0 <= pos s -> theta <= Qf D (pos s) ->
  (Qf D (pos s) - theta) * (/ (1 + (pos s + theta) / b') - / (INR n + 1)) <= EP step n s (F 0 0).
Proof.
  intros Hs HQ. pose proof (eta_b_pos H0) as Hb. fold b' in Hb. pose proof (eta_a_pos H0).
  pose proof (overshoot_a H0) as Ht. fold theta in Ht.
  set (X := 1 + (pos s + theta) / b'). set (Q := Qf D (pos s)) in *.
  assert (HX : 0 < X).
  { unfold X. assert (0 <= (pos s + theta) / b'); [|lra].
    apply Rmult_le_pos; [lra|]. left; apply Rinv_0_lt_compat; auto. }
  (* F >= (Q - theta) (1/len - 1/(n+1)) >= (Q - theta) (2/X - len/X^2 - 1/(n+1)) *)
  apply Rle_trans with (EP step n s (fun l => (Q - theta) * (2 / X - / (INR n + 1)) +
                                              (- ((Q - theta) / (X * X))) * len (round l))).
  - rewrite (EP_plus S step n s (fun _ => (Q - theta) * (2 / X - / (INR n + 1)))
                                (fun l => (- ((Q - theta) / (X * X))) * len (round l))).
    rewrite EP_const, EP_scal by auto.
    pose proof (expected_round_length H n s Hs) as HEN. fold theta b' in HEN. fold X in HEN.
    set (EN := EP step n s (fun l => len (round l))) in *.
    assert (E1 : / X = 2 / X + - (/ (X * X)) * X) by (field; lra).
    assert (0 < / (X * X)) by (apply Rinv_0_lt_compat; nra).
    assert ((Q - theta) * (/ (X * X) * EN) <= (Q - theta) * (/ (X * X) * X)).
    { apply Rmult_le_compat_l; [lra|]. apply Rmult_le_compat_l; lra. }
    rewrite E1. unfold Rdiv. lra.
  - apply EP_mono_chain; auto. intros l Hc Hl. unfold F.
    assert (Hn1 : 0 < / (INR n + 1)) by (apply Rinv_0_lt_compat; pose proof (pos_INR n); lra).
    set (m := len (round (s :: l))).
    assert (Hm : 1 <= m).
    { unfold m. simpl. rewrite len_cons.
      pose proof (len_nonneg (if Rlt_dec (pos s) 0 then [] else round l)). lra. }
    assert (Tan : 2 / X - m * / (X * X) <= / m).
    { apply (Rmult_le_reg_r (m * (X * X))); [apply Rmult_lt_0_compat; [lra|apply Rmult_lt_0_compat; lra]|].
      replace (/ m * (m * (X * X))) with (X * X) by (field; lra).
      replace ((2 / X - m * / (X * X)) * (m * (X * X))) with (2 * m * X - m * m) by (field; lra).
      pose proof (Rle_0_sqr (X - m)) as Sq. unfold Rsqr in Sq. lra. }
    assert (Tan' : (Q - theta) * (2 / X - m * / (X * X)) <= (Q - theta) * / m) by (apply Rmult_le_compat_l; lra).
    destruct (complete (s :: l)) eqn:Ec.
    + pose proof (flat_sum_lower l s Hc Ec Hs) as HF. fold Q in HF.
      assert (Hmi : 0 < / m) by (apply Rinv_0_lt_compat; lra).
      assert ((Q - theta) * / m <= (0 + flat_sum (round (s :: l)) - theta) / (0 + m)).
      { rewrite Rplus_0_l. unfold Rdiv. rewrite Rplus_0_l. apply Rmult_le_compat_r; lra. }
      assert (0 <= (Q - theta) * / (INR n + 1)) by (apply Rmult_le_pos; lra).
      unfold Rdiv in *. fold m. lra.
    + assert (Em : m = INR n + 1).
      { unfold m. rewrite (incomplete_round _ Ec), len_cons. unfold Sgd.len. rewrite Hl. ring. }
      rewrite Em in *. unfold Rdiv in *. lra.
Qed.

(* A round from w_0 >= 0 with Q(w_0) >= theta has expected average at least (Q(w_0) - theta) (1/X - 1/(n+1)),
   X = 1 + (w_0 + theta)/beta; so has its average as printed. *)
Theorem round_average n s : 0 <= pos s -> theta <= Qf D (pos s) ->
  let bound := (Qf D (pos s) - theta) * (/ (1 + (pos s + theta) / b') - / (INR n + 1)) in
  bound <= EP step n s (round_mean S pos) /\ bound <= EP step n s (printed_mean pos).
Proof.
  intros Hs HQ bound. pose proof (F_lower n s Hs HQ) as L. fold bound in L. split.
  - eapply Rle_trans; [exact L|]. eapply Rle_trans; [apply replace_last; [auto|lra]|].
    apply EP_le; auto. intros l _. unfold A, round_mean. destruct (complete (s :: l)); [|lra].
    rewrite !Rplus_0_l. lra.
  - eapply Rle_trans; [exact L|].
    apply Rle_trans with (EP step n s (F 0 (-1))); [|eapply Rle_trans; [apply replace_last; [auto|lra]|]].
    + apply EP_mono_chain; auto. intros l Hl _. unfold F. destruct (complete (s :: l)) eqn:E; [|lra].
      pose proof (flat_sum_lower l s Hl E Hs) as FL.
      rewrite complete_tail in E by auto. rewrite round_tail in * by auto.
      assert (Hr : 1 <= len (round l)).
      { destruct l as [|s' l']; [discriminate|]. simpl. rewrite len_cons.
        pose proof (len_nonneg (if Rlt_dec (pos s') 0 then [] else round l')). lra. }
      rewrite len_cons. unfold Rdiv. apply Rmult_le_compat_l; [lra|]. apply Rinv_le_contravar; lra.
    + apply EP_le; auto. intros l _. unfold A, printed_mean. destruct (complete (s :: l)); [|lra].
      right. f_equal; ring.
Qed.

(* (C). If (c-1) a >= 2 nu and Q(w_min) > theta, then c0 > 0, and every prepared round, whatever has happened before,
   has expected average at least c0 - (Q(w_0) - theta)/(n + 1) on the paths of n steps, for every n; and so with the
   average as printed. *)
Theorem per_round : 2 * nu <= (c - 1) * a -> theta < Qf D (w_min eta a c nu) ->
  0 < c0 eta a b c nu /\
  forall s, round_start S step pos D s -> forall n,
    let bound := c0 eta a b c nu - (Qf D (pos s) - theta) / (INR n + 1) in
    bound <= EP step n s (round_mean S pos) /\ bound <= EP step n s (printed_mean pos).
Proof.
  intros Hc HQ. pose proof (eta_b_pos H0) as Hb. pose proof (eta_a_pos H0).
  pose proof (fall_pos H0) as HD. fold D in HD. pose proof (overshoot_a H0) as Ht. fold theta in Ht.
  pose proof (w_min_nonneg H0 Hc) as Hw.
  unfold c0. fold D theta. fold b' in Hb |- *. set (wm := w_min eta a c nu) in *. split.
  - unfold c0f. apply Rdiv_lt_0_compat; [lra|].
    assert (0 <= (wm + theta) / b'); [|lra]. apply Rmult_le_pos; [lra|]. left; apply Rinv_0_lt_compat; auto.
  - intros s Hs n. cbv zeta. match goal with |- ?x <= _ /\ _ => set (bound := x) end.
    pose proof (start_height H0 s Hs) as W1. fold wm in W1.
    pose proof (c0f_mono D theta b' wm (pos s) HD ltac:(lra) Hb ltac:(lra)) as M.
    assert (HQs : theta <= Qf D (pos s)).
    { destruct (Qf_mono_ratio D wm (pos s) HD ltac:(lra)). lra. }
    assert (Bd : bound <= (Qf D (pos s) - theta) * (/ (1 + (pos s + theta) / b') - / (INR n + 1))).
    { unfold bound, c0f, Rdiv in *. rewrite Rmult_minus_distr_l. lra. }
    destruct (round_average n s ltac:(lra) HQs) as [R1 R2].
    split; (eapply Rle_trans; [exact Bd|]); assumption.
Qed.

(* (C), limit form: for every eps > 0 both expectations are at least c0 - eps once n is large. *)
Theorem per_round_limit : 2 * nu <= (c - 1) * a -> theta < Qf D (w_min eta a c nu) ->
  forall s, round_start S step pos D s -> forall eps, 0 < eps ->
  exists n0, forall n, (n0 <= n)%nat ->
    c0 eta a b c nu - eps <= EP step n s (round_mean S pos) /\
    c0 eta a b c nu - eps <= EP step n s (printed_mean pos).
Proof.
  intros Hc HQ s Hs eps He. destruct (per_round Hc HQ) as [_ P].
  destruct (vanishing_term (Qf D (pos s) - theta) eps He) as [n0 Hn0]. exists n0. intros n Hn.
  destruct (P s Hs n) as [P1 P2]. specialize (Hn0 n Hn). lra.
Qed.

(* The condition Q(w_min) > theta in terms of the constants: (c-1) a > 2 nu + max(a, min(2 nu, a + nu)). *)
Lemma per_round_condition : 2 * nu <= (c - 1) * a ->
  (theta < Qf D (w_min eta a c nu) <-> 2 * nu + Rmax a (Rmin (2 * nu) (a + nu)) < (c - 1) * a).
Proof.
  intros Hc. pose proof (fall_pos H0) as HD. fold D in HD. pose proof (overshoot_fall H0) as Ht. fold D theta in Ht.
  pose proof (sg_eta H) as He. pose proof (w_min_nonneg H0 Hc) as Hw.
  set (wm := w_min eta a c nu) in *.
  assert (E : theta < wm <-> 2 * nu + Rmax a (Rmin (2 * nu) (a + nu)) < (c - 1) * a).
  { unfold theta, overshoot, wm, w_min. split; intros K.
    - apply Rmult_lt_reg_l in K; lra.
    - apply Rmult_lt_compat_l; lra. }
  rewrite <- E. unfold Qf. split; intros K.
  - destruct (Rlt_or_le theta wm) as [|Hle]; auto. exfalso. revert K. apply Rle_not_lt. apply Rmax_lub; [auto|].
    assert (Hi : / (2 * D) * (2 * D) = 1) by (field; lra).
    apply (Rmult_le_reg_r (2 * D)); [lra|]. unfold Rdiv. rewrite Rmult_assoc, Hi, Rmult_1_r.
    assert (0 <= wm * (D - wm)) by (apply Rmult_le_pos; lra). nra.
  - eapply Rlt_le_trans; [exact K|apply Rmax_l].
Qed.
End OneRound.

(* The threshold of (C) for c in units of a, as a function of the noise level nu in units of a: 1 + 2 nu + theta, that
   is 2 + 2 nu for nu <= 1/2, 1 + 4 nu for 1/2 <= nu <= 1, 2 + 3 nu for nu >= 1. *)
Definition per_round_threshold (nu : R) : R := 1 + 2 * nu + Rmax 1 (Rmin (2 * nu) (1 + nu)).

Lemma per_round_threshold_values nu :
  (nu <= 1/2 -> per_round_threshold nu = 2 + 2 * nu) /\
  (1/2 <= nu <= 1 -> per_round_threshold nu = 1 + 4 * nu) /\
  (1 <= nu -> per_round_threshold nu = 2 + 3 * nu).
Proof.
  unfold per_round_threshold. repeat split; intros.
  - rewrite Rmax_left; [lra|]. eapply Rle_trans; [apply Rmin_l|]. lra.
  - rewrite Rmin_left, Rmax_right by lra. lra.
  - rewrite Rmin_right, Rmax_right by lra. lra.
Qed.

Lemma overshoot_scaled a nu : 0 < a ->
  Rmax a (Rmin (2 * nu) (a + nu)) = a * Rmax 1 (Rmin (2 * (nu / a)) (1 + nu / a)).
Proof.
  intros Ha. assert (E : nu = a * (nu / a)) by (field; lra). set (x := nu / a) in *. rewrite E. clear E.
  rewrite <- RmaxRmult by lra. f_equal; [ring|].
  unfold Rmin. destruct (Rle_dec (2 * (a * x)) (a + a * x)), (Rle_dec (2 * x) (1 + x)); nra.
Qed.

(* (C), headline. If c exceeds the threshold, there is a number c0 > 0, made of eta, a, b, c, nu alone, that bounds
   the expected average of every prepared round from below, up to a term const/(n+1) for the rounds cut at n. *)
Theorem per_round_headline S step pos g eta a b B c nu :
  sgd S step pos g eta a b B c nu -> per_round_threshold (nu / a) < c ->
  0 < c0 eta a b c nu /\ forall s, round_start S step pos (fall eta a nu) s ->
    exists C, forall n, c0 eta a b c nu - C / (INR n + 1) <= EP step n s (round_mean S pos) /\
                        c0 eta a b c nu - C / (INR n + 1) <= EP step n s (printed_mean pos).
Proof.
  intros H Hc. pose proof (a_pos (sgd_is_any_mean H)) as Ha. pose proof (sg_nu H) as Hn.
  assert (K : 2 * nu + Rmax a (Rmin (2 * nu) (a + nu)) < (c - 1) * a).
  { rewrite overshoot_scaled by auto. unfold per_round_threshold in Hc.
    assert (E : nu = a * (nu / a)) by (field; lra). rewrite E at 1. nra. }
  assert (Hc1 : 2 * nu <= (c - 1) * a).
  { pose proof (Rmax_l a (Rmin (2 * nu) (a + nu))). lra. }
  destruct (per_round H Hc1 (proj2 (per_round_condition H Hc1) K)) as [P1 P2]. split; [exact P1|].
  intros s Hs. eexists. intros n. apply P2; auto.
Qed.
