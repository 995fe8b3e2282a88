(* The corrected Theorem 1 cannot be improved: its constants 1/2 and 2 are best possible.

   For any number k of axes, any window, shifts, slopes, ratios, gap and steps that the theorem admits, and any eps in
   (0, 1), there is a world that gains exactly the corrected bound plus eps * sum_i (c_i + 1) p_i l_i / 2. The
   empirical loss is sum_i G_i(w_i), where G_i falls to 0 with slope - c_i p_i (1 + eps) and, behind a wall of height
   xi inside (0, rlo), rises with slope p_i (1 - eps). The population loss is the shifted empirical loss plus xi h,
   where h is a sum of tents: - 1 where the step starts, + 1 where it ends, between - 1 and 1 everywhere. The wall
   keeps its minimum at 0, as Definition 3 wants it. *)
From Coq Require Import Reals Lra Lia FunctionalExtensionality.
From Valleys Require Import Vectors Probability Asymmetry Theorem1Statement Theorem1 Ridge Theorem1Refuted.
Open Scope R_scope.

(* ---- a tent of height 1 and half-width r ---- *)
Definition tent (r x : R) : R := Rmax 0 (1 - Rabs x / r).
Lemma tent_range r x : 0 < r -> 0 <= tent r x <= 1.
Proof.
  intros Hr. unfold tent. split; [apply Rmax_l|]. apply Rmax_lub; [lra|].
  assert (0 <= Rabs x / r) by (apply Rmult_le_pos; [apply Rabs_pos|left; apply Rinv_0_lt_compat; auto]). lra.
Qed.
Lemma tent_top r : tent r 0 = 1.
Proof. unfold tent. rewrite Rabs_R0. unfold Rdiv. rewrite Rmult_0_l. rewrite Rmax_right; lra. Qed.
Lemma tent_away r x : 0 < r -> x <= - r \/ r <= x -> tent r x = 0.
Proof.
  intros Hr H. unfold tent. apply Rmax_left.
  assert (r <= Rabs x) by (destruct H; [rewrite Rabs_left|rewrite Rabs_right]; lra).
  assert (1 <= Rabs x / r) by (apply (Rmult_le_reg_r r); auto; unfold Rdiv; rewrite Rmult_assoc, Rinv_l; lra). lra.
Qed.

(* a sum over coordinates along a line parallel to axis i *)
Lemma rsum_along k i (g : nat -> R -> R) (y : vec) s : (i < k)%nat ->
  rsum k (fun m => g m (vadd y (vscal s (basis i)) m)) =
  g i (y i + s) + rsum k (fun m => if Nat.eq_dec m i then 0 else g m (y m)).
Proof.
  intros Hi. transitivity (rsum k (fun m => if Nat.eq_dec m i then g i (y i + s) else 0) +
    rsum k (fun m => if Nat.eq_dec m i then 0 else g m (y m))).
  - rewrite <- rsum_plus. apply rsum_ext. intros m Hm. unfold vadd, vscal, basis.
    destruct (Nat.eq_dec m i) as [->|N]; [rewrite Rmult_1_r; ring | rewrite Rmult_0_r, Rplus_0_r; ring].
  - f_equal. rewrite (rsum_single k i); auto; intros; destruct (Nat.eq_dec _ i); auto; lia.
Qed.

Lemma rsum_first n f : (0 < n)%nat -> (forall i, (i < n)%nat -> 0 <= f i) -> f 0%nat <= rsum n f.
Proof.
  induction n as [|n IH]; intros Hn Hf; [lia|]. simpl. destruct n as [|n]; [simpl; lra|].
  specialize (IH ltac:(lia) ltac:(intros; apply Hf; lia)). specialize (Hf (S n) ltac:(lia)). lra.
Qed.

Section Extremal.
Variables (k : nat) (p c l db : vec) (rlo rhi xi eps : R).
Hypotheses (some_axis : (0 < k)%nat) (window : 0 < rlo < rhi) (gap : 0 <= xi) (margin : 0 < eps < 1).
Hypothesis terms : forall i, (i < k)%nat -> 0 < p i /\ 1 < c i.
Hypothesis steps : forall i, (i < k)%nat ->
  4 * xi / ((c i - 1) * p i) < l i <= Rmin (rhi - db i) (db i - rlo).

Definition sharp (i : nat) : R := c i * p i * (1 + eps).
Definition flat (i : nat) : R := p i * (1 - eps).
Definition valley_loss (i : nat) (x : R) : R :=
  Rmax (- (sharp i * x)) (Rmin ((flat i + xi / rlo) * x) (xi + flat i * x)).

Lemma slopes i : (i < k)%nat -> 0 < flat i < p i /\ c i * p i < sharp i /\ 0 < c i * p i /\ 0 <= xi / rlo.
Proof.
  intros Hi. destruct (terms i Hi). unfold flat, sharp.
  assert (0 < c i * p i) by (apply Rmult_lt_0_compat; lra).
  assert (0 <= xi / rlo) by (apply Rmult_le_pos; [lra|left; apply Rinv_0_lt_compat; lra]).
  assert (0 < c i * p i * eps) by (apply Rmult_lt_0_compat; lra).
  assert (0 < p i * eps) by (apply Rmult_lt_0_compat; lra).
  assert (0 < p i * (1 - eps)) by (apply Rmult_lt_0_compat; lra). repeat split; lra.
Qed.
Lemma step_range i : (i < k)%nat -> 0 < l i /\ rlo + l i <= db i /\ db i + l i <= rhi /\
  4 * xi < (c i - 1) * p i * l i.
Proof.
  intros Hi. destruct (steps i Hi) as [A B]. destruct (terms i Hi).
  pose proof (Rmin_l (rhi - db i) (db i - rlo)). pose proof (Rmin_r (rhi - db i) (db i - rlo)).
  assert (Q : 0 < (c i - 1) * p i) by (apply Rmult_lt_0_compat; lra).
  assert (0 <= 4 * xi / ((c i - 1) * p i)) by (apply Rmult_le_pos; [lra|left; apply Rinv_0_lt_compat; auto]).
  assert (0 < l i) by lra. apply (Rmult_lt_compat_r ((c i - 1) * p i)) in A; auto.
  unfold Rdiv in A. rewrite Rmult_assoc, Rinv_l, Rmult_1_r in A by lra. repeat split; lra.
Qed.
Lemma wall : xi / rlo * rlo = xi.
Proof. field. lra. Qed.

Lemma valley_loss_sharp i x : (i < k)%nat -> x <= 0 -> valley_loss i x = - (sharp i * x).
Proof.
  intros Hi Hx. destruct (slopes i Hi) as (A & B & C & D). unfold valley_loss. apply Rmax_left.
  eapply Rle_trans; [apply Rmin_l|]. nra.
Qed.
Lemma valley_loss_flat i x : (i < k)%nat -> rlo <= x -> valley_loss i x = xi + flat i * x.
Proof.
  intros Hi Hx. destruct (slopes i Hi) as (A & B & C & D). pose proof wall. unfold valley_loss.
  rewrite Rmin_right by nra. apply Rmax_right. nra.
Qed.
Lemma valley_loss_0 i : (i < k)%nat -> valley_loss i 0 = 0.
Proof. intros. rewrite valley_loss_sharp by (auto; lra). ring. Qed.
Lemma valley_loss_pos i x : (i < k)%nat -> 0 <= valley_loss i x.
Proof.
  intros Hi. destruct (slopes i Hi) as (A & B & C & D). destruct (Rle_or_lt x 0).
  - rewrite valley_loss_sharp by auto. nra.
  - unfold valley_loss. eapply Rle_trans; [|apply Rmax_r]. apply Rmin_glb; nra.
Qed.
Lemma valley_loss_cont i : continuity (valley_loss i).
Proof.
  unfold valley_loss. apply cont_Rmax; [|apply cont_Rmin].
  - apply (cont_affine_eq _ (- sharp i) 0); intros; ring.
  - apply (cont_affine_eq _ (flat i + xi / rlo) 0); intros; ring.
  - apply (cont_affine_eq _ (flat i) xi); intros; ring.
Qed.

(* ---- the losses ---- *)
Definition ext_empirical (w : vec) : R := rsum k (fun i => valley_loss i (w i)).
Definition width : R := Rmin (l 0%nat / 2) rlo.
Definition bump (x : R) : R :=
  tent width (x + db 0%nat - l 0%nat) + tent width (x - db 0%nat - l 0%nat)
  - tent width (x + db 0%nat) - tent width (x - db 0%nat).
Definition ext_population (w : vec) : R := ext_empirical w + xi * bump (w 0%nat).
Definition ext_shift (j : nat) : vec := if Nat.eq_dec j 0 then db else vopp db.
(* a_j = 0 fixes the empirical loss, a_j = delta_j the population loss *)
Definition ext_world (a : nat -> vec) : world :=
  World k 2 fair_pair (fun j x => ext_empirical (vadd x (a j)))
    (fun j x => ext_population (vadd x (vsub (a j) (ext_shift j))))
    (fun j => vopp (a j)) ext_shift.
Definition ext_valley : valley := Valley k basis p c rlo rhi.

Lemma width_range : 0 < width /\ width <= l 0%nat / 2 /\ width <= rlo.
Proof.
  destruct (step_range 0%nat some_axis) as (A & _). unfold width.
  pose proof (Rmin_l (l 0%nat / 2) rlo). pose proof (Rmin_r (l 0%nat / 2) rlo).
  repeat split; auto. apply Rmin_glb_lt; lra.
Qed.

(* at most one tent of each sign is not 0 *)
Lemma bump_range x : - 1 <= bump x <= 1 /\
  (bump x < 0 -> - width < x + db 0%nat < width \/ - width < x - db 0%nat < width).
Proof.
  destruct width_range as (W0 & W1 & W2). destruct (step_range 0%nat some_axis) as (A & B & _).
  unfold bump. pose proof (tent_range width (x + db 0%nat) W0). pose proof (tent_range width (x - db 0%nat) W0).
  pose proof (tent_range width (x + db 0%nat - l 0%nat) W0).
  pose proof (tent_range width (x - db 0%nat - l 0%nat) W0).
  pose proof (tent_away width (x + db 0%nat) W0) as T1. pose proof (tent_away width (x - db 0%nat) W0) as T2.
  pose proof (tent_away width (x + db 0%nat - l 0%nat) W0) as T3.
  pose proof (tent_away width (x - db 0%nat - l 0%nat) W0) as T4.
  split.
  - assert (tent width (x + db 0%nat) = 0 \/ tent width (x - db 0%nat) = 0)
      by (destruct (Rle_or_lt 0 x); [left; apply T1 | right; apply T2]; lra).
    assert (tent width (x + db 0%nat - l 0%nat) = 0 \/ tent width (x - db 0%nat - l 0%nat) = 0)
      by (destruct (Rle_or_lt (l 0%nat) x); [left; apply T3 | right; apply T4]; lra). lra.
  - intros Hn. destruct (Rlt_le_dec (- width) (x + db 0%nat)), (Rlt_le_dec (x + db 0%nat) width); auto;
      rewrite T1 in Hn by lra; right; destruct (Rlt_le_dec (- width) (x - db 0%nat)),
        (Rlt_le_dec (x - db 0%nat) width); auto;
      rewrite T2 in Hn by lra; lra.
Qed.
Lemma bump_0 : bump 0 = 0.
Proof.
  destruct width_range as (W0 & W1 & W2). destruct (step_range 0%nat some_axis) as (A & B & _).
  unfold bump. rewrite !tent_away by (auto; lra). ring.
Qed.
Lemma bump_start : bump (- db 0%nat) = - 1 /\ bump (db 0%nat) = - 1.
Proof.
  destruct width_range as (W0 & W1 & W2). destruct (step_range 0%nat some_axis) as (A & B & _). unfold bump. split.
  - replace (- db 0%nat + db 0%nat) with 0 by ring. rewrite tent_top, !tent_away by (auto; lra). ring.
  - replace (db 0%nat - db 0%nat) with 0 by ring. rewrite tent_top, !tent_away by (auto; lra). ring.
Qed.
Lemma bump_end : bump (l 0%nat - db 0%nat) = 1 /\ bump (l 0%nat + db 0%nat) = 1.
Proof.
  destruct width_range as (W0 & W1 & W2). destruct (step_range 0%nat some_axis) as (A & B & _). unfold bump. split.
  - replace (l 0%nat - db 0%nat + db 0%nat - l 0%nat) with 0 by ring. rewrite tent_top, !tent_away by (auto; lra).
    ring.
  - replace (l 0%nat + db 0%nat - db 0%nat - l 0%nat) with 0 by ring. rewrite tent_top, !tent_away by (auto; lra).
    ring.
Qed.

Lemma ext_empirical_min x : (forall i, (i < k)%nat -> x i = 0) -> ext_empirical x = 0.
Proof. intros H. apply rsum_zero. intros i Hi. rewrite H, valley_loss_0; auto. Qed.
Lemma ext_empirical_pos x : 0 <= ext_empirical x.
Proof. apply rsum_nonneg. intros. apply valley_loss_pos; auto. Qed.

(* where the bump is negative the empirical loss is at least xi *)
Lemma ext_population_pos x : 0 <= ext_population x.
Proof.
  unfold ext_population. pose proof (ext_empirical_pos x). destruct (bump_range (x 0%nat)) as [B N].
  destruct (Rle_or_lt 0 (bump (x 0%nat))) as [|Hn]; [nra|].
  assert (H0 : valley_loss 0 (x 0%nat) <= ext_empirical x).
  { apply (rsum_first k (fun i => valley_loss i (x i))); auto. intros. apply valley_loss_pos; auto. }
  assert (xi <= valley_loss 0 (x 0%nat)); [|nra].
  destruct width_range as (W0 & W1 & W2). destruct (step_range 0%nat some_axis) as (A & B' & _ & X).
  destruct (slopes 0%nat some_axis) as (F & S' & CP & _). destruct (terms 0%nat some_axis).
  destruct (N Hn).
  - rewrite valley_loss_sharp by (auto; lra).
    assert (l 0%nat / 2 <= - x 0%nat) by lra.
    assert (c 0%nat * p 0%nat * (l 0%nat / 2) <= sharp 0 * (- x 0%nat)) by (apply Rmult_le_compat; lra).
    assert (0 < p 0%nat * l 0%nat) by (apply Rmult_lt_0_compat; lra). lra.
  - rewrite valley_loss_flat by (auto; lra).
    assert (0 <= flat 0 * x 0%nat) by (apply Rmult_le_pos; lra). lra.
Qed.

Lemma ext_hyps radius a : printed_hyps Rmin radius (ext_world a) ext_valley db l xi.
Proof.
  assert (Z : forall j v, vadd (vadd (vopp (a j)) v) (a j) = v) by (intros; vec_eq).
  split; cbn [count direction slope ratio inner outer ext_valley ext_world dim outcomes weight empirical solution]
    in *; auto.
  - apply fair_pair_prob.
  - intros j Hj y. rewrite (ext_empirical_min (vadd (vopp (a j)) (a j))); [apply ext_empirical_pos|].
    intros. unfold vadd, vopp. ring.
  - split; [|split].
    + intros i Hi. destruct (step_range i Hi) as (A & B & C & _). lra.
    + intros i Hi. destruct (step_range i Hi) as (A & B & C & _). unfold Peq, EE; simpl.
      unfold fair_pair, ext_shift; simpl; unfold vopp. split; crunch.
    + intros j Hj. exists 0, 0. cbn [population empirical solution shift dim ext_world]. repeat split.
      * exists (vsub (ext_shift j) (a j)).
        replace (vadd (vsub (ext_shift j) (a j)) (vsub (a j) (ext_shift j))) with vzero by vec_eq.
        unfold ext_population. rewrite ext_empirical_min by auto. unfold vzero. rewrite bump_0. ring.
      * intros; apply ext_population_pos.
      * exists (vopp (a j)). apply ext_empirical_min. intros. unfold vadd, vopp. ring.
      * intros; apply ext_empirical_pos.
      * intros v Hv. rewrite Z.
        replace (vadd (vadd (vadd (vopp (a j)) v) (ext_shift j)) (vsub (a j) (ext_shift j))) with v by vec_eq.
        unfold ext_population. destruct (bump_range (v 0%nat)) as [B _].
        replace (ext_empirical v + xi * bump (v 0%nat) - 0 + 0 - ext_empirical v) with (xi * bump (v 0%nat)) by ring.
        apply Rabs_le. nra.
  - split; [apply (basis_orthonormal k k (fun i => i)); auto|].
    intros j Hj i Hi v Hv.
    cbn [count direction slope ratio inner outer ext_valley ext_world dim outcomes weight empirical solution] in *.
    destruct (slopes i Hi) as (F & S & CP & _). split.
    { rewrite dot_basis by auto. unfold basis. destruct (Nat.eq_dec i i); [auto|lia]. }
    unfold foot. cbn [dim solution ext_world]. rewrite dot_basis by auto.
    set (y := vsub v (vscal (v i) (basis i))).
    assert (Y : y i = 0).
    { unfold y, vsub, vscal, basis. destruct (Nat.eq_dec i i); [ring|lia]. }
    set (K := rsum k (fun m => if Nat.eq_dec m i then 0 else valley_loss m (y m))).
    assert (E1 : (fun s => ext_empirical (vadd (vadd (vadd (vopp (a j)) y) (vscal s (basis i))) (a j))) =
                 (fun s => valley_loss i s + K)).
    { apply functional_extensionality; intros s.
      replace (vadd (vadd (vadd (vopp (a j)) y) (vscal s (basis i))) (a j)) with (vadd y (vscal s (basis i)))
        by vec_eq.
      unfold ext_empirical. rewrite rsum_along, Y, Rplus_0_l by auto. reflexivity. }
    assert (E2 : (fun s => ext_empirical (vadd (vsub (vadd (vopp (a j)) y) (vscal s (basis i))) (a j))) =
                 (fun s => valley_loss i (- s) + K)).
    { apply functional_extensionality; intros s.
      replace (vadd (vsub (vadd (vopp (a j)) y) (vscal s (basis i))) (a j)) with (vadd y (vscal (- s) (basis i)))
        by vec_eq.
      unfold ext_empirical. rewrite rsum_along, Y, Rplus_0_l by auto. reflexivity. }
    exists (fun _ => flat i), (fun _ => sharp i). intros t Ht. rewrite E1, E2. repeat split; try lra.
    + apply (affine_derivative _ (flat i) (xi + K) rlo rhi); auto. intros x Hx.
      rewrite valley_loss_flat by (auto; lra). ring.
    + apply (affine_derivative _ (sharp i) K rlo rhi); auto. intros x Hx. rewrite valley_loss_sharp by (auto; lra).
      ring.
  - intros j Hj i Hi w rl rh t Ht. set (y := vadd w (a j)).
    set (K := rsum k (fun m => if Nat.eq_dec m i then 0 else valley_loss m (y m))). split.
    + replace (fun s => ext_empirical (vadd (vadd w (vscal s (basis i))) (a j))) with
        (fun s => valley_loss i (1 * s + y i) + K).
      * apply (continuity_plus (fun s => valley_loss i (1 * s + y i)) (fun _ => K));
          [|apply continuity_const; intros ? ?; auto].
        apply (continuity_comp (fun s => 1 * s + y i) (valley_loss i)); [apply cont_affine|apply valley_loss_cont].
      * apply functional_extensionality; intros s.
        replace (vadd (vadd w (vscal s (basis i))) (a j)) with (vadd y (vscal s (basis i))) by (unfold y; vec_eq).
        unfold ext_empirical. rewrite rsum_along by auto. f_equal. f_equal. ring.
    + replace (fun s => ext_empirical (vadd (vsub w (vscal s (basis i))) (a j))) with
        (fun s => valley_loss i ((-1) * s + y i) + K).
      * apply (continuity_plus (fun s => valley_loss i ((-1) * s + y i)) (fun _ => K));
          [|apply continuity_const; intros ? ?; auto].
        apply (continuity_comp (fun s => (-1) * s + y i) (valley_loss i)); [apply cont_affine|apply valley_loss_cont].
      * apply functional_extensionality; intros s.
        replace (vadd (vsub w (vscal s (basis i))) (a j)) with (vadd y (vscal (- s) (basis i))) by (unfold y; vec_eq).
        unfold ext_empirical. rewrite rsum_along by auto. f_equal. f_equal. ring.
Qed.

(* eps * sum_i (c_i + 1) p_i l_i / 2 *)
Definition extremal_excess : R := rsum k (fun i => eps * ((c i + 1) * p i * l i / 2)).

Lemma step_coordinate i : (i < k)%nat -> vcomb k l basis i = l i.
Proof.
  intros Hi. unfold vcomb. rewrite (rsum_single k i); auto; intros; unfold basis.
  - destruct (Nat.eq_dec i i); [ring|lia].
  - destruct (Nat.eq_dec i j); [lia|ring].
Qed.

(* what the step gains for the shifts + db (outcome 0) and - db (outcome 1) *)
Definition ext_outcome_gain (a : nat -> vec) (j : nat) : R :=
  population (ext_world a) j (vopp (a j)) - population (ext_world a) j (vadd (vopp (a j)) (vcomb k l basis)).
Lemma ext_outcome_gains a :
  ext_outcome_gain a 0 = rsum k (fun i => sharp i * l i) - 2 * xi /\
  ext_outcome_gain a 1 = - rsum k (fun i => flat i * l i) - 2 * xi.
Proof.
  unfold ext_outcome_gain. cbn [ext_world population].
  replace (vadd (vopp (a 0%nat)) (vsub (a 0%nat) (ext_shift 0))) with (vopp db) by (unfold ext_shift; simpl; vec_eq).
  replace (vadd (vopp (a 1%nat)) (vsub (a 1%nat) (ext_shift 1))) with db by (unfold ext_shift; simpl; vec_eq).
  replace (vadd (vadd (vopp (a 0%nat)) (vcomb k l basis)) (vsub (a 0%nat) (ext_shift 0)))
    with (vsub (vcomb k l basis) db) by (unfold ext_shift; simpl; vec_eq).
  replace (vadd (vadd (vopp (a 1%nat)) (vcomb k l basis)) (vsub (a 1%nat) (ext_shift 1)))
    with (vadd (vcomb k l basis) db) by (unfold ext_shift; simpl; vec_eq).
  unfold ext_population. destruct bump_start as [S1 S2]. destruct bump_end as [T1 T2].
  change (vopp db 0%nat) with (- db 0%nat). rewrite S1, S2.
  unfold vsub at 2. unfold vadd at 2. rewrite step_coordinate, T1, T2 by auto.
  assert (E1 : ext_empirical (vopp db) - ext_empirical (vsub (vcomb k l basis) db) = rsum k (fun i => sharp i * l i)).
  { unfold ext_empirical. rewrite <- rsum_minus. apply rsum_ext. intros i Hi.
    destruct (step_range i Hi) as (A & B & _).
    unfold vopp, vsub. rewrite step_coordinate, !valley_loss_sharp by (auto; lra). ring. }
  assert (E2 : ext_empirical (vadd (vcomb k l basis) db) - ext_empirical db = rsum k (fun i => flat i * l i)).
  { unfold ext_empirical. rewrite <- rsum_minus. apply rsum_ext. intros i Hi.
    destruct (step_range i Hi) as (A & B & _).
    unfold vadd. rewrite step_coordinate, !valley_loss_flat by (auto; lra). ring. }
  split; lra.
Qed.

Lemma ext_gain a : gain (ext_world a) ext_valley l = corrected_bound ext_valley l xi + extremal_excess.
Proof.
  rewrite gain_expect. unfold expect, EE. cbn [outcomes weight ext_world rsum].
  destruct (ext_outcome_gains a) as [G0 G1]. unfold ext_outcome_gain in *.
  cbn [solution count direction ext_world ext_valley] in *. rewrite G0, G1.
  assert (E : rsum k (fun i => sharp i * l i) - rsum k (fun i => flat i * l i) =
    2 * main_term ext_valley l + 2 * extremal_excess).
  { unfold main_term, extremal_excess. cbn [count ratio slope ext_valley].
    rewrite <- rsum_minus, <- !rsum_scal, <- rsum_plus. apply rsum_ext. intros i Hi. unfold sharp, flat. field. }
  unfold corrected_bound, fair_pair. lra.
Qed.
End Extremal.

(* For all terms that the corrected theorem admits along axes and every eps in (0, 1) there is, in each reading, a
   world that meets all its hypotheses and gains exactly the bound plus eps * sum_i (c_i + 1) p_i l_i / 2. *)
Theorem theorem1_bound_attained k p c l db rlo rhi xi eps radius :
  (0 < k)%nat -> 0 < rlo < rhi -> 0 <= xi -> 0 < eps < 1 -> (forall i, (i < k)%nat -> 0 < p i /\ 1 < c i) ->
  (forall i, (i < k)%nat -> 4 * xi / ((c i - 1) * p i) < l i <= Rmin (rhi - db i) (db i - rlo)) ->
  let V := Valley k basis p c rlo rhi in
  let excess := rsum k (fun i => eps * ((c i + 1) * p i * l i / 2)) in
  exists A B,
    printed_hyps Rmin radius A V db l xi /\ random_population A /\ along_axes A V (fun i => i) /\
    gain A V l = corrected_bound V l xi + excess /\
    printed_hyps Rmin radius B V db l xi /\ random_empirical B /\ along_axes B V (fun i => i) /\
    gain B V l = corrected_bound V l xi + excess.
Proof.
  intros Hk Hr Hx He Ht Hs V excess.
  exists (ext_world k p c l db rlo xi eps (fun _ => vzero)), (ext_world k p c l db rlo xi eps (ext_shift db)).
  assert (AX : forall a, along_axes (ext_world k p c l db rlo xi eps a) V (fun i => i))
    by (intros; repeat split; auto).
  split; [apply ext_hyps; auto|]. split.
  { split; [exists (fun x => ext_empirical k p c rlo xi eps (vadd x vzero)) | exists (vopp vzero)]; auto. }
  split; [apply AX|]. split; [apply (ext_gain k p c l db rlo rhi); auto|].
  split; [apply ext_hyps; auto|]. split.
  { exists (ext_population k p c l db rlo xi eps). intros j Hj. apply functional_extensionality; intros x. simpl.
    f_equal.
    vec_eq. }
  split; [apply AX|]. apply (ext_gain k p c l db rlo rhi); auto.
Qed.
