(* The corrected Theorem 1 for unbalanced signs cannot be improved either.

   The worlds of Theorem1Extremal.v with the shift + db of probability q and - db of probability 1 - q, for any q in
   [0, 1]: the gain is the bound sum_i l_i p_i ((c_i + 1) q - 1) - 2 xi plus eps * sum_i p_i l_i (c_i q + (1 - q)). *)
From Coq Require Import Reals Lra Lia FunctionalExtensionality.
From Valleys Require Import Vectors Probability Asymmetry Theorem1Statement Theorem1 Ridge Theorem1Refuted.
From Valleys Require Import Theorem1Extremal.
Open Scope R_scope.

Definition biased_pair (q : R) (j : nat) : R := match j with O => q | _ => 1 - q end.
Definition reweighted (W : world) (pr : nat -> R) : world :=
  World (dim W) (outcomes W) pr (empirical W) (population W) (solution W) (shift W).

Section Unbalanced.
Variables (k : nat) (p c l db : vec) (rlo rhi xi eps q : R).
Hypotheses (some_axis : (0 < k)%nat) (window : 0 < rlo < rhi) (gap : 0 <= xi) (margin : 0 < eps < 1).
Hypothesis terms : forall i, (i < k)%nat -> 0 < p i /\ 1 < c i.
Hypothesis steps : forall i, (i < k)%nat ->
  4 * xi / ((c i - 1) * p i) < l i <= Rmin (rhi - db i) (db i - rlo).
Hypothesis probability : 0 <= q <= 1.

Definition biased_world (a : nat -> vec) : world := reweighted (ext_world k p c l db rlo xi eps a) (biased_pair q).
Notation V := (ext_valley k p c rlo rhi).

Lemma biased_hyps a : corrected_hyps (biased_world a) V l (fun _ => q) (norm k db) xi (fun _ => 0).
Proof.
  pose proof (step_range k p c l db rlo rhi xi gap terms steps) as SR.
  destruct (ext_hyps k p c l db rlo rhi xi eps some_axis window gap margin terms steps (fun x y => x + y) a)
    as [_ _ _ _ _ _ _ [O Ha] Hc _].
  split; auto.
  - split; [intros [|[|j]] Hj; simpl in *; try lia; lra | simpl; ring].
  - intros i Hi. destruct (SR i Hi). lra.
  - intros j Hj _. right. cbn [dim shift biased_world reweighted ext_world]. unfold ext_shift.
    destruct (Nat.eq_dec j 0); [auto | apply norm_opp].
  - intros i Hi. destruct (SR i Hi) as (A & B & _).
    cbn [outcomes weight dim shift direction biased_world reweighted ext_world ext_valley]. unfold Ppos, EE. simpl.
    rewrite !dot_basis by auto. unfold ext_shift, vopp; simpl.
    destruct (Rlt_dec 0 (db i)), (Rlt_dec 0 (- db i)); lra.
  - intros j i Hj _ Hi s. unfold s. clear s. destruct (SR i Hi) as (A & B & C & _).
    cbn [dim shift direction inner outer biased_world reweighted ext_world ext_valley].
    rewrite dot_basis by auto. unfold ext_shift. destruct (Nat.eq_dec j 0); unfold vopp; [left|right]; lra.
  - intros j v Hj _ _. cbn [population empirical solution shift biased_world reweighted ext_world].
    replace (vadd (vadd (vadd (vopp (a j)) v) (ext_shift db j)) (vsub (a j) (ext_shift db j))) with v by vec_eq.
    replace (vadd (vadd (vopp (a j)) v) (a j)) with v by vec_eq.
    unfold ext_population. destruct (bump_range k p c l db rlo rhi xi eps some_axis window gap margin terms steps
      (v 0%nat)) as [B _].
    match goal with |- Rabs ?x <= _ => replace x with (xi * bump l db rlo (v 0%nat)) by ring end. apply Rabs_le. nra.
  - intros j i v Hj _ Hi Hv. eapply definition1_integrated.
    + apply (Ha j Hj i Hi v Hv).
    + apply (Hc j Hj i Hi).
Qed.

(* eps * sum_i p_i l_i (c_i q + (1 - q)) *)
Definition biased_excess : R := rsum k (fun i => eps * (p i * l i * (c i * q + (1 - q)))).

Lemma biased_gain a : gain (biased_world a) V l = unbalanced_bound V l (fun _ => q) xi + biased_excess.
Proof.
  rewrite gain_expect. unfold expect, EE. cbn [outcomes weight biased_world reweighted ext_world rsum biased_pair].
  destruct (ext_outcome_gains k p c l db rlo rhi xi eps some_axis window gap margin terms steps a) as [G0 G1].
  unfold ext_outcome_gain in *. cbn [population solution count direction biased_world reweighted ext_world
    ext_valley] in *.
  rewrite G0, G1.
  assert (E : q * rsum k (fun i => sharp p c eps i * l i) - (1 - q) * rsum k (fun i => flat p eps i * l i) =
    rsum k (fun i => l i * p i * ((c i + 1) * q - 1)) + biased_excess).
  { unfold biased_excess. rewrite <- !rsum_scal, <- rsum_minus, <- rsum_plus. apply rsum_ext. intros i Hi.
    unfold sharp, flat. ring. }
  unfold unbalanced_bound. cbn [count slope ratio ext_valley]. lra.
Qed.
End Unbalanced.

(* For all terms that the corrected theorem admits along axes, every q in [0, 1] and every eps in (0, 1) there is, in
   each reading, a world that meets all its hypotheses with q_i = q and gains exactly the bound plus
   eps * sum_i p_i l_i (c_i q + (1 - q)). *)
Theorem theorem1_unbalanced_attained k p c l db rlo rhi xi eps q :
  (0 < k)%nat -> 0 < rlo < rhi -> 0 <= xi -> 0 < eps < 1 -> 0 <= q <= 1 ->
  (forall i, (i < k)%nat -> 0 < p i /\ 1 < c i) ->
  (forall i, (i < k)%nat -> 4 * xi / ((c i - 1) * p i) < l i <= Rmin (rhi - db i) (db i - rlo)) ->
  let V := Valley k basis p c rlo rhi in
  let excess := rsum k (fun i => eps * (p i * l i * (c i * q + (1 - q)))) in
  exists A B,
    corrected_hyps A V l (fun _ => q) (norm k db) xi (fun _ => 0) /\ random_population A /\
    gain A V l = unbalanced_bound V l (fun _ => q) xi + excess /\
    corrected_hyps B V l (fun _ => q) (norm k db) xi (fun _ => 0) /\ random_empirical B /\
    gain B V l = unbalanced_bound V l (fun _ => q) xi + excess.
Proof.
  intros Hk Hr Hx He Hq Ht Hs V excess.
  exists (biased_world k p c l db rlo xi eps q (fun _ => vzero)),
    (biased_world k p c l db rlo xi eps q (ext_shift db)).
  split; [apply biased_hyps; auto|]. split.
  { split; [exists (fun x => ext_empirical k p c rlo xi eps (vadd x vzero)) | exists (vopp vzero)]; auto. }
  split; [apply (biased_gain k p c l db rlo rhi); auto|].
  split; [apply biased_hyps; auto|]. split; [|apply (biased_gain k p c l db rlo rhi); auto].
  exists (ext_population k p c l db rlo xi eps). intros j Hj. apply functional_extensionality; intros x. simpl.
  f_equal.
  vec_eq.
Qed.
