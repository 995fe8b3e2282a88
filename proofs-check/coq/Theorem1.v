(* The corrected Theorem 1, and the printed one for directions along coordinate axes.

   Proof: fix an outcome, start at w-hat - delta and add l_1 u^1, ..., l_k u^k one after the other. Addition i moves
   the coordinate along u^i from -s_i to -s_i + l_i. If s_i > 0 this lies in [-rhi, -rlo], where the empirical loss
   falls by at least c_i p_i l_i; otherwise in [rlo, rhi], where it rises by at most p_i l_i. Add up, use the shift
   gap once at each end, and take expectations. *)
From Coq Require Import Reals Lra Lia FunctionalExtensionality.
From Valleys Require Import Vectors Probability Asymmetry Theorem1Statement.
Open Scope R_scope.

Ltac vec_eq := apply functional_extensionality; intros ?; unfold vcomb, vadd, vsub, vscal, vopp, vzero; simpl; ring.

Lemma Rabs_bounds x a : Rabs x <= a -> - a <= x <= a.
Proof. intros H. pose proof (Rle_abs x). pose proof (Rle_abs (- x)). rewrite Rabs_Ropp in *. lra. Qed.

Section Outcome.
Variables (W : world) (V : valley) (l : vec) (Delta : R) (j : nat).
Notation d := (dim W).
Notation k := (count V).
Notation U := (direction V).
Notation F := (empirical W j).
Notation start := (vadd (solution W j) (vopp (shift W j))).
Hypothesis orth : orthonormal d k U.
Hypothesis short : norm d (shift W j) <= Delta.

(* the projection of the shift on direction i, and what addition i gains *)
Definition projection (i : nat) : R := dot d (shift W j) (U i).
Definition least_gain (i : nat) : R :=
  if Rlt_dec 0 (projection i) then ratio V i * slope V i * l i else - (slope V i * l i).

Definition base (i : nat) : vec := foot W j (U i) (vadd (vopp (shift W j)) (vcomb i l U)).

Lemma base_short m : (m <= k)%nat -> norm d (vadd (vopp (shift W j)) (vcomb m l U)) <= Delta + norm k l.
Proof.
  intros Hm. eapply Rle_trans; [apply norm_triangle|]. rewrite norm_opp. pose proof (vcomb_norm d k l U m orth Hm).
  lra.
Qed.

(* addition i starts at coordinate - s_i and ends at - s_i + l_i on the line through the base *)
Lemma addition_line i t : (i < k)%nat ->
  vadd (base i) (vscal (- projection i + t) (U i)) = vadd (vadd start (vcomb i l U)) (vscal t (U i)).
Proof.
  intros Hi.
  assert (E : dot d (vadd (vopp (shift W j)) (vcomb i l U)) (U i) = - projection i).
  { rewrite dot_comm, dot_add_r, dot_opp_r, (vcomb_dot d k) by (auto; lia).
    destruct (lt_dec i i); [lia|]. unfold projection. rewrite (dot_comm d (U i)). ring. }
  unfold base, foot. rewrite E. vec_eq.
Qed.
Lemma addition_ends i (P : vec -> vec -> Prop) : (i < k)%nat ->
  P (vadd (base i) (vscal (- projection i) (U i))) (vadd (base i) (vscal (- projection i + l i) (U i))) ->
  P (vadd start (vcomb i l U)) (vadd start (vcomb (S i) l U)).
Proof.
  intros Hi H. rewrite (addition_line i (l i)) in H by auto.
  replace (- projection i) with (- projection i + 0) in H by ring. rewrite (addition_line i 0) in H by auto.
  replace (vadd (vadd start (vcomb i l U)) (vscal 0 (U i))) with (vadd start (vcomb i l U)) in H by vec_eq.
  replace (vadd (vadd start (vcomb i l U)) (vscal (l i) (U i))) with (vadd start (vcomb (S i) l U)) in H by vec_eq.
  exact H.
Qed.

Definition in_window (i : nat) : Prop :=
  (0 < projection i /\ inner V + l i <= projection i <= outer V) \/
  (projection i <= 0 /\ inner V <= - projection i <= outer V - l i).

Lemma addition_gain i : (i < k)%nat -> 0 <= l i -> in_window i ->
  iasym (inner V) (outer V) (slope V i) (ratio V i) (U i) (base i) F ->
  least_gain i <= F (vadd start (vcomb i l U)) - F (vadd start (vcomb (S i) l U)).
Proof.
  intros Hi Hl Hw Ha. apply (addition_ends i (fun x y => least_gain i <= F x - F y) Hi). unfold least_gain.
  destruct Hw as [[H1 H2]|[H1 H2]]; destruct (Rlt_dec 0 (projection i)); try lra.
  - destruct (Ha (projection i - l i) (projection i)) as [_ A]; try lra.
    replace (vsub (base i) (vscal (projection i) (U i)))
      with (vadd (base i) (vscal (- projection i) (U i))) in A by vec_eq.
    replace (vsub (base i) (vscal (projection i - l i) (U i)))
      with (vadd (base i) (vscal (- projection i + l i) (U i))) in A by vec_eq. lra.
  - destruct (Ha (- projection i) (- projection i + l i)) as [A _]; lra.
Qed.

Lemma addition_gain_strict i : (i < k)%nat -> 0 < l i -> in_window i ->
  siasym (inner V) (outer V) (slope V i) (ratio V i) (U i) (base i) F ->
  least_gain i < F (vadd start (vcomb i l U)) - F (vadd start (vcomb (S i) l U)).
Proof.
  intros Hi Hl Hw Ha. apply (addition_ends i (fun x y => least_gain i < F x - F y) Hi). unfold least_gain.
  destruct Hw as [[H1 H2]|[H1 H2]]; destruct (Rlt_dec 0 (projection i)); try lra.
  - destruct (Ha (projection i - l i) (projection i)) as [_ A]; try lra.
    replace (vsub (base i) (vscal (projection i) (U i)))
      with (vadd (base i) (vscal (- projection i) (U i))) in A by vec_eq.
    replace (vsub (base i) (vscal (projection i - l i) (U i)))
      with (vadd (base i) (vscal (- projection i + l i) (U i))) in A by vec_eq. lra.
  - destruct (Ha (- projection i) (- projection i + l i)) as [A _]; lra.
Qed.

Lemma telescope m :
  rsum m (fun i => F (vadd start (vcomb i l U)) - F (vadd start (vcomb (S i) l U))) =
  F start - F (vadd start (vcomb m l U)).
Proof.
  induction m as [|m IH]; simpl.
  - replace (vadd start (vcomb 0 l U)) with start by vec_eq. ring.
  - rewrite IH. ring.
Qed.

(* the shift gap, used at both ends, turns the empirical difference into the population's *)
Lemma population_gain xi kappa :
  (forall v, norm d v <= Delta + norm k l ->
     Rabs (population W j (vadd (vadd (solution W j) v) (shift W j)) - F (vadd (solution W j) v) - kappa) <= xi) ->
  F start - F (vadd start (vcomb k l U)) - 2 * xi <=
  population W j (solution W j) - population W j (vadd (solution W j) (vcomb k l U)).
Proof.
  intros G.
  pose proof (G _ (base_short 0 ltac:(lia))) as G0. pose proof (G _ (base_short k ltac:(lia))) as G1.
  replace (vadd (vadd (solution W j) (vadd (vopp (shift W j)) (vcomb 0 l U))) (shift W j)) with (solution W j) in G0
    by vec_eq.
  replace (vadd (solution W j) (vadd (vopp (shift W j)) (vcomb 0 l U))) with start in G0 by vec_eq.
  replace (vadd (vadd (solution W j) (vadd (vopp (shift W j)) (vcomb k l U))) (shift W j))
    with (vadd (solution W j) (vcomb k l U)) in G1 by vec_eq.
  replace (vadd (solution W j) (vadd (vopp (shift W j)) (vcomb k l U))) with (vadd start (vcomb k l U)) in G1
    by vec_eq.
  apply Rabs_bounds in G0. apply Rabs_bounds in G1. lra.
Qed.
End Outcome.

(* the expectation of the gains of the outcomes *)
Lemma expected_gain W V l q Delta xi kappa : corrected_hyps W V l q Delta xi kappa ->
  expect W (fun j => rsum (count V) (least_gain W V l j) - 2 * xi) = unbalanced_bound V l q xi.
Proof.
  intros H. pose proof (ch_prob _ _ _ _ _ _ _ H) as P. unfold expect, unbalanced_bound.
  rewrite EE_minus, EE_const, EE_rsum by auto. f_equal. apply rsum_ext. intros i Hi.
  rewrite <- (ch_sign _ _ _ _ _ _ _ H i Hi). unfold Ppos.
  transitivity (EE (outcomes W) (weight W) (fun j =>
    (ratio V i + 1) * slope V i * l i * (if Rlt_dec 0 (dot (dim W) (shift W j) (direction V i)) then 1 else 0) -
    slope V i * l i)).
  - apply rsum_ext. intros j Hj. unfold least_gain, projection. destruct (Rlt_dec _ _); ring.
  - rewrite EE_minus, EE_scal, EE_const by auto. ring.
Qed.

Lemma gain_expect W V l : gain W V l =
  expect W (fun j =>
    population W j (solution W j) - population W j (vadd (solution W j) (vcomb (count V) l (direction V)))).
Proof. unfold gain, expect. rewrite EE_minus. reflexivity. Qed.

(* Corrected Theorem 1 for shifts that go to the flat side of direction i with probability q_i:
   E L(w-hat) - E L(w-hat + sum l_i u^i) >= sum l_i p_i ((c_i + 1) q_i - 1) - 2 xi. *)
Theorem theorem1_unbalanced W V l q Delta xi kappa :
  corrected_hyps W V l q Delta xi kappa -> unbalanced_bound V l q xi <= gain W V l.
Proof.
  intros H. rewrite <- (expected_gain _ _ _ _ _ _ _ H), gain_expect.
  destruct H as [P O Hl Hd _ Hw Hg Ha]. apply EE_le; auto. intros j Hj Pj.
  eapply Rle_trans; [|apply (population_gain W V l Delta j O (Hd j Hj Pj) xi (kappa j)); intros; apply Hg; auto].
  apply Rplus_le_compat_r. rewrite <- telescope. apply rsum_le. intros i Hi.
  apply addition_gain; auto.
  - apply Hw; auto.
  - apply Ha; auto. apply base_short; auto; lia.
Qed.

Lemma balanced_bound V l xi : unbalanced_bound V l (fun _ => 1/2) xi = corrected_bound V l xi.
Proof. unfold unbalanced_bound, corrected_bound, main_term. f_equal. apply rsum_ext. intros; field. Qed.

(* the corrected bound is never below the printed one *)
Lemma corrected_bound_above_printed V l xi : (0 < count V)%nat -> 0 <= xi ->
  printed_bound V l xi <= corrected_bound V l xi.
Proof.
  intros Hk Hx. unfold printed_bound, corrected_bound. apply le_INR in Hk. simpl in Hk. nra.
Qed.

(* Corrected Theorem 1: E L(w-hat) - E L(w-hat + sum l_i u^i) >= sum (c_i - 1) l_i p_i / 2 - 2 xi. *)
Theorem theorem1_corrected W V l Delta xi kappa :
  corrected_hyps W V l (fun _ => 1/2) Delta xi kappa -> corrected_bound V l xi <= gain W V l.
Proof. rewrite <- balanced_bound. apply theorem1_unbalanced. Qed.

(* Directions along coordinate axes: axis i is the coordinate of direction i, and no coordinate is used twice. The
   step is compared with the shift of its own coordinate. *)
Definition along_axes (W : world) (V : valley) (axis : nat -> nat) : Prop :=
  (forall i, (i < count V)%nat -> (axis i < dim W)%nat) /\
  (forall i j, (i < count V)%nat -> (j < count V)%nat -> axis i = axis j -> i = j) /\
  (forall i, (i < count V)%nat -> direction V i = basis (axis i)).
Definition step_within (V : valley) (axis : nat -> nat) (db l : vec) : Prop :=
  forall i, (i < count V)%nat -> l i <= Rmin (outer V - db (axis i)) (db (axis i) - inner V).

(* almost surely the shift has the magnitudes db *)
Lemma shift_magnitude W rlo rhi db Rad xi : is_prob (outcomes W) (weight W) -> 0 < rlo ->
  assumption1 W rlo rhi db Rad xi -> forall i j, (i < dim W)%nat -> (j < outcomes W)%nat -> 0 < weight W j ->
  shift W j i = db i \/ shift W j i = - db i.
Proof.
  intros P Hr (Hdb & Hs & _) i j Hi Hj Pj. destruct (Hs i Hi) as [S1 S2]. specialize (Hdb i Hi).
  set (X := fun j => (if Req_EM_T (shift W j i) (db i) then 1 else 0) +
    (if Req_EM_T (shift W j i) (- db i) then 1 else 0)).
  assert (E : X j = 1).
  { apply (EE_squeeze _ _ X (fun _ => 1) P); auto.
    - intros m _. unfold X. destruct (Req_EM_T (shift W m i) (db i)), (Req_EM_T (shift W m i) (- db i)); lra.
    - rewrite EE_const by auto. unfold Peq, EE in *. transitivity (1/2 + 1/2); [|lra].
      rewrite <- S1 at 1. rewrite <- S2, <- rsum_plus. apply rsum_ext; intros; unfold X; ring. }
  unfold X in E. destruct (Req_EM_T (shift W j i) (db i)); auto. destruct (Req_EM_T (shift W j i) (- db i)); auto.
  lra.
Qed.

(* the printed hypotheses with the gap on radius |l| + |db|, and steps within the minimum: the corrected ones hold *)
Lemma axis_hyps limit W V db l xi axis :
  along_axes W V axis -> step_within V axis db l -> printed_hyps limit (fun a b => b + a) W V db l xi ->
  exists kappa, corrected_hyps W V l (fun _ => 1/2) (norm (dim W) db) xi kappa.
Proof.
  intros (Hax & Hinj & Hdir) Hl [_ P [Hr0 Hr1] Hxi Hpc _ HA1 [O Ha] Hc Hl0].
  pose proof (shift_magnitude W _ _ db _ xi P Hr0 HA1) as Hmag. destruct HA1 as (Hdb & Hs & Hg).
  assert (HK : exists kappa, forall j, (j < outcomes W)%nat -> forall v,
    norm (dim W) v <= norm (dim W) db + norm (count V) l ->
    Rabs (population W j (vadd (vadd (solution W j) v) (shift W j)) - empirical W j (vadd (solution W j) v) -
      kappa j) <= xi).
  { clear - Hg. induction (outcomes W) as [|n IH]; [exists (fun _ => 0); intros; lia|].
    destruct IH as (kap & IH); [intros; apply Hg; lia|]. destruct (Hg n ltac:(lia)) as (mL & mH & _ & _ & G).
    exists (fun j => if Nat.eq_dec j n then mL - mH else kap j). intros j Hj v Hv.
    destruct (Nat.eq_dec j n) as [->|N].
    - specialize (G v Hv).
      match goal with |- Rabs ?a <= _ => match type of G with Rabs ?b <= _ => replace a with b by ring end end.
      exact G.
    - apply IH; auto; lia. }
  destruct HK as (kappa & HK). exists kappa. split; auto.
  - intros i Hi. destruct (Hl0 i Hi) as [A _]. destruct (Hpc i Hi).
    assert (0 <= 4 * xi / ((ratio V i - 1) * slope V i)).
    { apply Rmult_le_pos; [lra|]. left; apply Rinv_0_lt_compat, Rmult_lt_0_compat; lra. } lra.
  - intros j Hj Pj. right. unfold norm. f_equal. apply rsum_ext. intros i Hi.
    destruct (Hmag i j Hi Hj Pj) as [->| ->]; ring.
  - intros i Hi. pose proof (Hax i Hi) as Hi'. destruct (Hs (axis i) Hi') as [S1 _]. specialize (Hdb (axis i) Hi').
    rewrite <- S1. unfold Ppos, Peq. apply EE_ext_as; auto. intros j Hj Pj. rewrite Hdir, dot_basis by auto.
    destruct (Hmag (axis i) j Hi' Hj Pj) as [->| ->].
    + destruct (Rlt_dec 0 (db (axis i))), (Req_EM_T (db (axis i)) (db (axis i))); lra.
    + destruct (Rlt_dec 0 (- db (axis i))), (Req_EM_T (- db (axis i)) (db (axis i))); lra.
  - intros j i Hj Pj Hi s. unfold s. clear s. rewrite Hdir, dot_basis by auto.
    pose proof (Hax i Hi) as Hi'. specialize (Hdb (axis i) Hi'). specialize (Hl i Hi).
    pose proof (Rmin_l (outer V - db (axis i)) (db (axis i) - inner V)).
    pose proof (Rmin_r (outer V - db (axis i)) (db (axis i) - inner V)).
    destruct (Hmag (axis i) j Hi' Hj Pj) as [->| ->]; [left|right]; lra.
  - intros j i v Hj Pj Hi Hv. eapply definition1_integrated; [apply Ha; auto|]. apply Hc; auto.
Qed.

(* The printed theorem holds for directions along axes once max is min and the radius reaches the shift; its bound
   even loses only 2 xi instead of 2 k xi. *)
Theorem theorem1_along_axes limit W V db l xi axis :
  along_axes W V axis -> step_within V axis db l -> printed_hyps limit (fun a b => b + a) W V db l xi ->
  corrected_bound V l xi <= gain W V l.
Proof.
  intros H1 H2 H3. destruct (axis_hyps _ _ _ _ _ _ _ H1 H2 H3) as (kappa & H). eapply theorem1_corrected; eauto.
Qed.
