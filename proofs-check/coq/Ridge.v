(* Ridge worlds: losses that vary along one direction only. All counterexamples to the printed Theorem 1 are of this
   kind.

   The empirical loss is G and the population loss H of the coordinate along u:
     empirical_j(x) = G(<u, x> + a_j),  population_j(x) = H(<u, x> + a_j - <u, delta_j>),  solution_j = - a_j u.
   With a_j = 0 the empirical loss is fixed; with a_j = <u, delta_j> the population loss is. *)
From Coq Require Import Reals Lra Lia FunctionalExtensionality Ranalysis5.
From Valleys Require Import Vectors Probability Asymmetry Theorem1Statement.
Open Scope R_scope.

(* ---- continuity of piecewise linear functions, and the derivative of a linear piece ---- *)
Lemma cont_Rmax f g : continuity f -> continuity g -> continuity (fun x => Rmax (f x) (g x)).
Proof.
  intros Hf Hg.
  replace (fun x => Rmax (f x) (g x)) with (fun x => (/2) * ((f x + g x) + Rabs (f x - g x))).
  2:{ apply functional_extensionality; intros x. unfold Rmax, Rabs.
      destruct (Rle_dec (f x) (g x)), (Rcase_abs (f x - g x)); lra. }
  apply (continuity_scal (fun x => (f x + g x) + Rabs (f x - g x))).
  apply (continuity_plus (fun x => f x + g x) (fun x => Rabs (f x - g x))).
  - apply (continuity_plus f g); auto.
  - apply (continuity_comp (fun x => f x - g x) Rabs); [apply (continuity_minus f g); auto| apply Rcontinuity_abs].
Qed.
Lemma cont_Rmin f g : continuity f -> continuity g -> continuity (fun x => Rmin (f x) (g x)).
Proof.
  intros Hf Hg.
  replace (fun x => Rmin (f x) (g x)) with (fun x => - Rmax (- f x) (- g x)).
  2:{ apply functional_extensionality; intros x. unfold Rmax, Rmin.
      destruct (Rle_dec (f x) (g x)), (Rle_dec (- f x) (- g x)); lra. }
  apply (continuity_opp (fun x => Rmax (- f x) (- g x))). apply cont_Rmax; apply continuity_opp; auto.
Qed.
Lemma cont_affine a b : continuity (fun x => a * x + b).
Proof. intros x. apply derivable_continuous_pt. reg. Qed.
Lemma cont_affine_eq f a b : (forall x, f x = a * x + b) -> continuity f.
Proof.
  intros E. replace f with (fun x => a * x + b); [apply cont_affine|].
  apply functional_extensionality; intros; symmetry; apply E.
Qed.
Lemma affine_derivative f al be a b t : a < t < b -> (forall x, a < x < b -> f x = al * x + be) ->
  derivable_pt_lim f t al.
Proof.
  intros Ht He. apply (derivable_pt_lim_locally_ext (fun x => al * x + be) f t a b al Ht).
  - intros z Hz. symmetry; auto.
  - replace al with (al * 1 + 0) by ring. replace (fun x => (al * 1 + 0) * x + be) with (fun x => al * x + be)
      by (apply functional_extensionality; intros; ring).
    apply (derivable_pt_lim_plus (fun x => al * x) (fun _ => be)).
    + apply (derivable_pt_lim_scal (fun x => x)). apply derivable_pt_lim_id.
    + apply derivable_pt_lim_const.
Qed.

(* decides comparisons of numbers, innermost first *)
Ltac crunch1 :=
  match goal with
  | |- context [Rle_dec ?a ?b] =>
      lazymatch a with context [Rle_dec _ _] => fail | _ =>
      lazymatch b with context [Rle_dec _ _] => fail | _ => destruct (Rle_dec a b); try lra end end
  | |- context [Req_EM_T ?a ?b] => destruct (Req_EM_T a b); try lra
  end.
Ltac crunch := try lra; do 20 (try crunch1).

(* ---- the worlds ---- *)
Definition ridge (d n : nat) (pr : nat -> R) (u : vec) (dl : nat -> vec) (G H : R -> R) (a : nat -> R) : world :=
  World d n pr (fun j x => G (dot d u x + a j)) (fun j x => H (dot d u x + (a j - dot d u (dl j))))
    (fun j => vscal (- a j) u) dl.
Definition one_direction (u : vec) (p c rlo rhi : R) : valley :=
  Valley 1 (fun _ => u) (fun _ => p) (fun _ => c) rlo rhi.

(* what the losses have to satisfy: 0 is a minimum of both, G is continuous and asymmetric at 0 *)
Record ridge_losses (G H : R -> R) (p c rlo rhi : R) : Prop := {
  rl_G0 : G 0 = 0; rl_G : forall x, 0 <= G x;
  rl_H0 : H 0 = 0; rl_H : forall x, 0 <= H x;
  rl_cont : continuity G;
  rl_asym : exists gp gm, forall t, rlo < t < rhi ->
    derivable_pt_lim G t (gp t) /\ gp t < p /\ derivable_pt_lim (fun s => G (- s)) t (gm t) /\ c * p < gm t }.

Section Ridge.
Variables (limit radius : R -> R -> R) (d n : nat) (pr : nat -> R) (u : vec) (dl : nat -> vec) (db : vec).
Variables (G H : R -> R) (p c rlo rhi l : R) (a : nat -> R).
Notation W := (ridge d n pr u dl G H a).
Notation V := (one_direction u p c rlo rhi).

(* ridge worlds meet the printed hypotheses with gap 0 *)
Lemma ridge_hyps :
  (0 < d)%nat -> is_prob n pr -> dot d u u = 1 -> 0 < rlo < rhi -> 0 < p -> 1 < c ->
  (forall i, (i < d)%nat -> rlo <= db i <= rhi) ->
  (forall i, (i < d)%nat -> Peq n pr (fun j => dl j i) (db i) = 1/2 /\ Peq n pr (fun j => dl j i) (- db i) = 1/2) ->
  ridge_losses G H p c rlo rhi ->
  (forall v, norm d v <= radius (norm 1 (fun _ => l)) (norm d db) -> H (dot d u v) = G (dot d u v)) ->
  0 < l <= limit (rhi - db 0%nat) (db 0%nat - rlo) ->
  printed_hyps limit radius W V db (fun _ => l) 0.
Proof.
  intros Hd Hp Hu Hr Hpp Hc Hdb Hs [G0 Gp H0 Hp' Gc (gp & gm & Hg)] Hgap Hl.
  assert (Dw : forall j v, dot d u (vadd (vscal (- a j) u) v) + a j = dot d u v).
  { intros. rewrite dot_add_r, dot_scal_r, Hu. ring. }
  split; try assumption; cbn [count direction slope ratio inner outer one_direction ridge dim outcomes weight
    empirical] in *.
  - lia.
  - lra.
  - auto.
  - intros j Hj y. cbn [empirical solution ridge].
    replace (vscal (- a j) u) with (vadd (vscal (- a j) u) vzero)
      by (apply functional_extensionality; intros; unfold vadd, vzero; ring).
    rewrite Dw.
    replace (dot d u vzero) with 0 by (symmetry; apply rsum_zero; intros; unfold vzero; ring).
    rewrite G0. apply Gp.
  - repeat split; try apply Hdb; try apply Hs; auto.
    intros j Hj. exists 0, 0. cbn [population empirical solution shift dim ridge] in *. repeat split.
    + exists (vscal (dot d u (dl j) - a j) u). rewrite dot_scal_r, Hu.
      replace ((dot d u (dl j) - a j) * 1 + (a j - dot d u (dl j))) with 0 by ring. auto.
    + intros; apply Hp'.
    + exists (vscal (- a j) u). rewrite dot_scal_r, Hu. replace (- a j * 1 + a j) with 0 by ring. auto.
    + intros; apply Gp.
    + intros v Hv. rewrite Dw, dot_add_r.
      replace (dot d u (vadd (vscal (- a j) u) v) + dot d u (dl j) + (a j - dot d u (dl j))) with (dot d u v).
      2:{ specialize (Dw j v). lra. }
      rewrite Hgap by auto. replace (G (dot d u v) - 0 + 0 - G (dot d u v)) with 0 by ring. rewrite Rabs_R0. lra.
  - split.
    + intros i j Hi Hj. simpl in *. destruct (Nat.eq_dec i j); [auto|lia].
    + intros j Hj i Hi v Hv. split; [auto|]. unfold foot.
      cbn [count outcomes direction solution empirical dim one_direction ridge slope ratio inner outer] in *.
      assert (B : dot d u (vadd (vscal (- a j) u) (vsub v (vscal (dot d v u) u))) + a j = 0).
      { rewrite Dw, dot_sub_r, dot_scal_r, Hu, (dot_comm d v u). ring. }
      exists gp, gm. intros t Ht. destruct (Hg t Ht) as (A1 & A2 & A3 & A4). repeat split; auto.
      * replace (fun s => G (dot d u (vadd (vadd (vscal (- a j) u) (vsub v (vscal (dot d v u) u))) (vscal s u)) +
          a j))
          with G; auto.
        apply functional_extensionality; intros s. rewrite dot_add_r, dot_scal_r, Hu. f_equal. lra.
      * replace (fun s => G (dot d u (vsub (vadd (vscal (- a j) u) (vsub v (vscal (dot d v u) u))) (vscal s u)) +
          a j))
          with (fun s => G (- s)); auto.
        apply functional_extensionality; intros s. rewrite dot_sub_r, dot_scal_r, Hu. f_equal. lra.
  - intros j Hj i Hi w rl rh t Ht. split.
    + replace (fun s => G (dot d u (vadd w (vscal s u)) + a j)) with (fun s => G (1 * s + (dot d u w + a j))).
      * apply (continuity_comp (fun s => 1 * s + (dot d u w + a j)) G); [apply cont_affine|auto].
      * apply functional_extensionality; intros s. rewrite dot_add_r, dot_scal_r, Hu. f_equal. ring.
    + replace (fun s => G (dot d u (vsub w (vscal s u)) + a j)) with (fun s => G ((-1) * s + (dot d u w + a j))).
      * apply (continuity_comp (fun s => (-1) * s + (dot d u w + a j)) G); [apply cont_affine|auto].
      * apply functional_extensionality; intros s. rewrite dot_sub_r, dot_scal_r, Hu. f_equal. ring.
  - intros i Hi. replace (4 * 0 / ((c - 1) * p)) with 0 by (unfold Rdiv; ring). replace i with O by lia. exact Hl.
Qed.

(* the gain in one dimension, whatever the a_j *)
Definition line_gain : R := EE n pr (fun j => H (- dot d u (dl j)) - H (l - dot d u (dl j))).
Lemma ridge_gain : dot d u u = 1 -> gain W V (fun _ => l) = line_gain.
Proof.
  intros Hu. unfold gain, expect, line_gain. rewrite <- EE_minus. apply rsum_ext. intros j Hj.
  cbn [population solution ridge weight outcomes count direction one_direction].
  replace (vcomb 1 (fun _ => l) (fun _ => u)) with (vscal l u)
    by (apply functional_extensionality; intros q; unfold vcomb, vscal; simpl; ring).
  rewrite dot_add_r, !dot_scal_r, Hu. f_equal. f_equal; f_equal; ring.
Qed.
Lemma ridge_bound : printed_bound V (fun _ => l) 0 = (c - 1) * l * p / 2.
Proof. unfold printed_bound, main_term. simpl. lra. Qed.
Lemma ridge_corrected_bound xi : corrected_bound V (fun _ => l) xi = (c - 1) * l * p / 2 - 2 * xi.
Proof. unfold corrected_bound, main_term. simpl. lra. Qed.
End Ridge.

(* the two readings *)
Definition fixed_empirical : nat -> R := fun _ => 0.
Definition fixed_population (d : nat) (u : vec) (dl : nat -> vec) : nat -> R := fun j => dot d u (dl j).
Lemma ridge_random_population d n pr u dl G H : random_population (ridge d n pr u dl G H fixed_empirical).
Proof. split; [exists (fun x => G (dot d u x + 0)) | exists (vscal (- 0) u)]; auto. Qed.
Lemma ridge_random_empirical d n pr u dl G H : random_empirical (ridge d n pr u dl G H (fixed_population d u dl)).
Proof.
  exists (fun x => H (dot d u x + 0)). intros j Hj. apply functional_extensionality; intros x.
  cbn [population ridge]. unfold fixed_population. f_equal. ring.
Qed.
