(* The constants 1/2 and 2 of the corrected Theorem 1 are best possible, by the worlds of Theorem1Extremal.v. *)
From Coq Require Import Reals Lra Lia.
From Valleys Require Import Vectors Probability Asymmetry Theorem1Statement Theorem1 Ridge Theorem1Extremal.
Open Scope R_scope.

(* A bound a * sum_i (c_i - 1) p_i l_i - b xi that holds for every world of the corrected theorem along axes, in
   either reading, has a <= 1/2, and b >= 2 if a = 1/2. *)
Definition valid_constants (reading : world -> Prop) (a b : R) : Prop :=
  forall W V db l xi axis, along_axes W V axis -> step_within V axis db l ->
    printed_hyps Rmin (fun nl ndb => ndb + nl) W V db l xi -> reading W ->
    a * rsum (count V) (fun i => (ratio V i - 1) * slope V i * l i) - b * xi <= gain W V l.

Lemma small_eps x y : (forall eps, 0 < eps < 1 -> x <= y + 12 * eps) -> x <= y.
Proof.
  intros H. destruct (Rle_or_lt x y) as [|L]; auto. exfalso.
  set (e := Rmin (1/2) ((x - y) / 24)).
  assert (0 < e) by (apply Rmin_glb_lt; lra).
  pose proof (Rmin_l (1/2) ((x - y) / 24)). pose proof (Rmin_r (1/2) ((x - y) / 24)). fold e in H1, H2.
  specialize (H e ltac:(lra)). lra.
Qed.

Theorem theorem1_constants_best reading a b : reading = random_population \/ reading = random_empirical ->
  valid_constants reading a b -> a <= 1/2 /\ (a = 1/2 -> 2 <= b).
Proof.
  intros HR HV.
  assert (K : forall xi eps, 0 <= xi < 1/4 -> 0 < eps < 1 -> a - b * xi <= 1/2 - 2 * xi + 3/2 * eps).
  { intros xi eps Hx He.
    destruct (theorem1_bound_attained 1 (fun _ => 1) (fun _ => 2) (fun _ => 1) (fun _ => 2) 1 3 xi eps
      (fun nl ndb => ndb + nl))
      as (A & B & HA & RA & XA & GA & HB & RB & XB & GB); try lra; try lia; [intros; lra| |].
    { intros. split; [|unfold Rmin; crunch]. replace (4 * xi / ((2 - 1) * 1)) with (4 * xi) by field. lra. }
    assert (SW : forall W : world, step_within (Valley 1 basis (fun _ => 1) (fun _ => 2) 1 3) (fun i => i)
      (fun _ => 2) (fun _ => 1)).
    { intros _ i Hi. cbn. unfold Rmin; crunch. }
    destruct HR as [E|E]; subst reading.
    - specialize (HV A _ _ _ xi _ XA (SW A) HA RA). rewrite GA in HV. unfold corrected_bound, main_term in HV.
      simpl in HV. lra.
    - specialize (HV B _ _ _ xi _ XB (SW B) HB RB). rewrite GB in HV. unfold corrected_bound, main_term in HV.
      simpl in HV. lra. }
  split.
  - apply small_eps. intros eps He. specialize (K 0 eps ltac:(lra) He). lra.
  - intros E. apply small_eps. intros eps He. specialize (K (1/8) eps ltac:(lra) He). lra.
Qed.
