(* The step limit min{rhi - db, db - rlo} of the corrected Theorem 1 is exact.

   For every window, shift, slope, ratio and every step l above the limit there is a world, in each reading, that
   meets all other hypotheses (with gap 0, on balls of any radius) and gains less than (c - 1) l p / 2.
   - l > db - rlo: the loss max(0, f (x - rlo), - s (x + rlo)) with f a little below p and s a little above c p. If
     the shift is + db, the step crosses less than l of the sharp side.
   - l > rhi - db: the loss max(x p/2, - 2 c p x, rhi p/2 + K (x - rhi)) with K large. If the shift is - db, the step
     ends beyond the window, where the loss may rise as steeply as it likes. *)
From Coq Require Import Reals Lra Lia FunctionalExtensionality.
From Valleys Require Import Vectors Probability Asymmetry Theorem1Statement Ridge Theorem1Refuted.
Open Scope R_scope.

Section Limit.
Variables (rlo rhi db p c l : R).
Hypotheses (window : 0 < rlo < rhi) (inside : rlo <= db <= rhi) (slope_pos : 0 < p) (ratio_above : 1 < c).

(* the gain for a shift of + db or - db *)
Definition two_point_gain (G : R -> R) : R := (G (- db) - G (l - db)) / 2 + (G db - G (l + db)) / 2.
Definition limit_world (G : R -> R) (a : nat -> R) : world := ridge 1 2 fair_pair one_axis (plus_minus db) G G a.
Definition limit_valley : valley := one_direction one_axis p c rlo rhi.

Lemma limit_gain G a : gain (limit_world G a) limit_valley (fun _ => l) = two_point_gain G.
Proof.
  unfold limit_world, limit_valley. rewrite ridge_gain by apply one_axis_unit.
  unfold line_gain, two_point_gain, EE, fair_pair, dot, one_axis, basis, plus_minus; simpl.
  replace (- (0 + 1 * db)) with (- db) by ring. replace (l - (0 + 1 * db)) with (l - db) by ring.
  replace (- (0 + 1 * - db)) with db by ring. replace (l - (0 + 1 * - db)) with (l + db) by ring. lra.
Qed.

Lemma limit_counterexample radius G a : 0 < l -> ridge_losses G G p c rlo rhi ->
  two_point_gain G < (c - 1) * l * p / 2 ->
  counterexample (fun _ _ => l) radius (limit_world G a) limit_valley (fun _ => db) (fun _ => l) 0.
Proof.
  intros Hl HG Hlt. split.
  - apply ridge_hyps; auto using fair_pair_prob, one_axis_unit.
    + apply plus_minus_fair. lra.
    + lra.
  - rewrite limit_gain. unfold limit_valley. rewrite ridge_bound. exact Hlt.
Qed.

(* beyond db - rlo *)
Definition excess : R := (l - (db - rlo)) / (2 * (l + (db - rlo))).
Definition early_loss (x : R) : R :=
  Rmax 0 (Rmax (p * (1 - excess) * (x - rlo)) (- (c * p * (1 + excess) * (x + rlo)))).

Lemma excess_range : db - rlo < l -> 0 < excess <= 1/2 /\ excess * (2 * (l + (db - rlo))) = l - (db - rlo).
Proof.
  intros H. unfold excess. assert (E : (l - (db - rlo)) / (2 * (l + (db - rlo))) * (2 * (l + (db - rlo))) =
    l - (db - rlo))
    by (field; lra). split; auto. split; [apply Rdiv_lt_0_compat; lra|]. nra.
Qed.

Lemma early_losses : db - rlo < l -> ridge_losses early_loss early_loss p c rlo rhi.
Proof.
  intros H. destruct (excess_range H) as [[E0 E1] _].
  assert (F : 0 < p * (1 - excess)) by (apply Rmult_lt_0_compat; lra).
  assert (CP : 0 < c * p) by (apply Rmult_lt_0_compat; lra).
  assert (S : c * p < c * p * (1 + excess)) by nra.
  unfold early_loss. set (f := p * (1 - excess)) in *. set (s := c * p * (1 + excess)) in *.
  assert (Z : Rmax 0 (Rmax (f * (0 - rlo)) (- (s * (0 + rlo)))) = 0).
  { rewrite Rmax_left; auto. apply Rmax_lub; nra. }
  split; try exact Z; try (intros; apply Rmax_l).
  - apply cont_Rmax; [apply continuity_const; intros ? ?; auto|]. apply cont_Rmax.
    + apply (cont_affine_eq _ f (- f * rlo)); intros; lra.
    + apply (cont_affine_eq _ (- s) (- s * rlo)); intros; lra.
  - exists (fun _ => f), (fun _ => s). intros t Ht. repeat split; auto.
    + apply (affine_derivative _ f (- f * rlo) rlo rhi); auto. intros x Hx.
      rewrite (Rmax_left (f * (x - rlo))) by nra. rewrite Rmax_right; nra.
    + unfold f. nra.
    + apply (affine_derivative _ s (- s * rlo) rlo rhi); auto. intros x Hx.
      rewrite (Rmax_right (f * (- x - rlo))) by nra. rewrite Rmax_right; nra.
Qed.

Lemma early_gain : db - rlo < l -> two_point_gain early_loss < (c - 1) * l * p / 2.
Proof.
  intros H. destruct (excess_range H) as [[E0 E1] E2].
  assert (F : 0 < p * (1 - excess)) by (apply Rmult_lt_0_compat; lra).
  assert (CP : 0 < c * p) by (apply Rmult_lt_0_compat; lra).
  assert (S : c * p < c * p * (1 + excess)) by nra.
  unfold two_point_gain, early_loss. set (f := p * (1 - excess)) in *. set (s := c * p * (1 + excess)) in *.
  rewrite (Rmax_right (f * (- db - rlo))) by nra. rewrite (Rmax_right 0) by nra.
  rewrite (Rmax_left (f * (db - rlo))) by nra. rewrite (Rmax_right 0 (f * (db - rlo))) by nra.
  rewrite (Rmax_left (f * (l + db - rlo))) by nra. rewrite (Rmax_right 0 (f * (l + db - rlo))) by nra.
  pose proof (Rmax_l 0 (Rmax (f * (l - db - rlo)) (- (s * (l - db + rlo))))).
  assert (c * p * (1 + excess) * (db - rlo) - p * (1 - excess) * l < (c - 1) * l * p); [|unfold f, s in *; lra].
  assert (K : excess * (c * (db - rlo) + l) < c * (l - (db - rlo))).
  { apply Rle_lt_trans with (excess * (c * (l + (db - rlo)))); [apply Rmult_le_compat_l; nra|].
    replace (excess * (c * (l + (db - rlo)))) with (c * (l - (db - rlo)) / 2) by (rewrite <- E2; field). nra. }
  apply (Rmult_lt_compat_l p) in K; lra.
Qed.

(* beyond rhi - db *)
Definition cliff : R := p + (2 * c * p * db + p * db) / (l + db - rhi).
Definition late_loss (x : R) : R := Rmax (p / 2 * x) (Rmax (- (2 * c * p * x)) (p / 2 * rhi + cliff * (x - rhi))).

Lemma cliff_range : rhi - db < l -> p <= cliff /\ (cliff - p) * (l + db - rhi) = 2 * c * p * db + p * db.
Proof.
  intros H. unfold cliff. assert (CP : 0 < c * p) by (apply Rmult_lt_0_compat; lra). split.
  - assert (0 < (2 * c * p * db + p * db) / (l + db - rhi)) by (apply Rdiv_lt_0_compat; nra). lra.
  - field. lra.
Qed.

Lemma late_losses : rhi - db < l -> ridge_losses late_loss late_loss p c rlo rhi.
Proof.
  intros H. destruct (cliff_range H) as [K _].
  assert (CP : 0 < c * p) by (apply Rmult_lt_0_compat; lra). unfold late_loss. set (m := cliff) in *.
  assert (Z : Rmax (p / 2 * 0) (Rmax (- (2 * c * p * 0)) (p / 2 * rhi + m * (0 - rhi))) = 0).
  { rewrite (Rmax_left (- (2 * c * p * 0))) by nra. rewrite Rmax_left; lra. }
  assert (P : forall x, 0 <= Rmax (p / 2 * x) (Rmax (- (2 * c * p * x)) (p / 2 * rhi + m * (x - rhi)))).
  { intros x. destruct (Rle_or_lt 0 x).
    - eapply Rle_trans; [|apply Rmax_l]. nra.
    - eapply Rle_trans; [|apply Rmax_r]. eapply Rle_trans; [|apply Rmax_l]. nra. }
  split; auto.
  - apply cont_Rmax; [|apply cont_Rmax].
    + apply (cont_affine_eq _ (p / 2) 0); intros; lra.
    + apply (cont_affine_eq _ (- (2 * c * p)) 0); intros; lra.
    + apply (cont_affine_eq _ m (p / 2 * rhi - m * rhi)); intros; lra.
  - exists (fun _ => p / 2), (fun _ => 2 * c * p). intros t Ht. repeat split; try lra.
    + apply (affine_derivative _ (p / 2) 0 rlo rhi); auto. intros x Hx. rewrite Rmax_left; [lra|].
      apply Rmax_lub; nra.
    + apply (affine_derivative _ (2 * c * p) 0 rlo rhi); auto. intros x Hx.
      rewrite (Rmax_left (- (2 * c * p * - x))) by nra. rewrite Rmax_right; nra.
Qed.

Lemma late_gain : 0 < l -> rhi - db < l -> two_point_gain late_loss < (c - 1) * l * p / 2.
Proof.
  intros Hl H. destruct (cliff_range H) as [K E].
  assert (CP : 0 < c * p) by (apply Rmult_lt_0_compat; lra).
  pose proof (proj2 (conj I (rl_G _ _ _ _ _ _ (late_losses H) (l - db)))) as N.
  assert (A : late_loss (- db) = 2 * c * p * db).
  { unfold late_loss. rewrite (Rmax_left (- (2 * c * p * - db))) by nra. rewrite Rmax_right; nra. }
  assert (B : late_loss db = p / 2 * db).
  { unfold late_loss. rewrite Rmax_left; auto. apply Rmax_lub; nra. }
  assert (D : p / 2 * rhi + cliff * (l + db - rhi) <= late_loss (l + db)).
  { unfold late_loss. eapply Rle_trans; [|apply Rmax_r]. apply Rmax_r. }
  unfold two_point_gain. rewrite A, B.
  assert (0 < (c - 1) * l * p) by (repeat apply Rmult_lt_0_compat; lra).
  assert (0 < p * (l + db - rhi)) by (apply Rmult_lt_0_compat; lra). nra.
Qed.

Lemma some_loss : Rmin (rhi - db) (db - rlo) < l ->
  exists G, ridge_losses G G p c rlo rhi /\ two_point_gain G < (c - 1) * l * p / 2.
Proof.
  intros H. destruct (Rle_or_lt l (db - rlo)) as [H1|H1].
  - assert (rhi - db < l) by (unfold Rmin in H; destruct (Rle_dec (rhi - db) (db - rlo)); lra).
    exists late_loss. split; [apply late_losses; auto|]. apply late_gain; auto; lra.
  - exists early_loss. split; [apply early_losses; auto | apply early_gain; auto].
Qed.
End Limit.

(* a sample: window (1, 3), shift 2, p = 1, c = 2, the limit is 1 and the step 3/2 gains 17/40 instead of 3/4 *)
Lemma limit_sample a : gain (limit_world 2 (early_loss 1 2 1 2 (3/2)) a) (limit_valley 1 3 1 2) (fun _ => 3/2) =
  17/40.
Proof.
  rewrite limit_gain. unfold two_point_gain, early_loss.
  replace (excess 1 2 (3/2)) with (1/10) by (unfold excess; field). unfold Rmax; crunch.
Qed.

(* For every step l above min{rhi - db, db - rlo}, whatever the window, shift, slope and ratio, there is in each
   reading a world with gap 0 on balls of any radius that meets every printed hypothesis but this limit and breaks
   the bound. *)
Theorem theorem1_step_limit_exact rlo rhi db p c l radius :
  0 < rlo < rhi -> rlo <= db <= rhi -> 0 < p -> 1 < c -> Rmin (rhi - db) (db - rlo) < l ->
  exists A B V,
    slope V 0 = p /\ ratio V 0 = c /\ inner V = rlo /\ outer V = rhi /\ count V = 1%nat /\
    random_population A /\ counterexample (fun _ _ => l) radius A V (fun _ => db) (fun _ => l) 0 /\
    random_empirical B /\ counterexample (fun _ _ => l) radius B V (fun _ => db) (fun _ => l) 0.
Proof.
  intros Hw Hd Hp Hc H.
  assert (Hl : 0 < l).
  { eapply Rle_lt_trans; [|exact H]. apply Rmin_glb; lra. }
  destruct (some_loss rlo rhi db p c l Hw Hd Hp Hc H) as (G & HG & HL).
  exists (limit_world db G fixed_empirical), (limit_world db G (fixed_population 1 one_axis (plus_minus db))),
    (limit_valley rlo rhi p c).
  do 5 (split; [reflexivity|]).
  split; [apply ridge_random_population|]. split; [apply limit_counterexample; auto|].
  split; [apply ridge_random_empirical|apply limit_counterexample; auto].
Qed.
