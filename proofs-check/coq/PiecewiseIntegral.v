(* A small integral for piecewise continuous functions on the line (one SGD step, of ExactLaw.v, jumps at w = 0).

   [primitive f F] : F is continuous everywhere and has derivative f except at finitely many points.
   [integral f x y I] : I = F(y) - F(x) for such an F.
   [integral_unique]: this determines I.  [integral_is_riemann]: for a continuous f it is the usual Riemann integral.
   [continuous_has_primitive]: every continuous f can be integrated. *)
From Coq Require Import Reals Lra Lia List.
From Valleys Require Import Process.
Import ListNotations.
Open Scope R_scope.

Definition primitive (f F : R -> R) : Prop :=
  continuity F /\ exists l, forall t, ~ In t l -> derivable_pt_lim F t (f t).
Definition has_primitive (f : R -> R) : Prop := exists F, primitive f F.
Definition integral (f : R -> R) (x y I : R) : Prop := exists F, primitive f F /\ I = F y - F x.

(* ---- a continuous function whose derivative is 0 off finitely many points is constant ---- *)
Lemma constant_off_points l : forall (D : R -> R) a b, a <= b ->
  (forall t, a <= t <= b -> continuity_pt D t) ->
  (forall t, a < t < b -> ~ In t l -> derivable_pt_lim D t 0) -> D a = D b.
Proof.
  induction l as [|x l IH]; intros D a b Hab Hc Hd.
  - destruct (Req_dec a b) as [->|Hne]; [reflexivity|].
    assert (pr : forall t, a < t < b -> derivable_pt D t)
      by (intros t Ht; exists 0; apply Hd; auto).
    assert (Hab' : a < b) by lra.
    assert (E : constant_D_eq D (fun t => a <= t <= b) (D a)).
    { apply (null_derivative_loc D a b pr Hc). intros t P.
      apply (derive_pt_eq_0 D t 0 (pr t P)). apply Hd; auto. }
    symmetry. apply (E b). lra.
  - destruct (Rlt_dec a x) as [Hax|Hax]; [destruct (Rlt_dec x b) as [Hxb|Hxb]|].
    + transitivity (D x).
      * apply IH; [lra|intros; apply Hc; lra|].
        intros t Ht Hn. apply Hd; [lra|]. intros [E|E]; [lra|auto].
      * apply IH; [lra|intros; apply Hc; lra|].
        intros t Ht Hn. apply Hd; [lra|]. intros [E|E]; [lra|auto].
    + apply IH; auto. intros t Ht Hn. apply Hd; [lra|]. intros [E|E]; [lra|auto].
    + apply IH; auto. intros t Ht Hn. apply Hd; [lra|]. intros [E|E]; [lra|auto]. Qed.

(* The integral is determined by f, x and y. *)
Theorem integral_unique f x y I J : integral f x y I -> integral f x y J -> I = J.
Proof.
  intros [F [[cF [l HF]] ->]] [G [[cG [k HG]] ->]].
  assert (C : forall a b, a <= b -> F a - G a = F b - G b).
  { intros a b Hab. apply (constant_off_points (l ++ k) (fun t => F t - G t) a b Hab).
    - intros t _. apply continuity_pt_minus; [apply cF|apply cG].
    - intros t _ Hn. replace 0 with (f t - f t) by ring.
      apply derivable_pt_lim_minus; [apply HF|apply HG]; intros H; apply Hn, in_or_app; auto. }
  destruct (Rle_dec x y) as [H|H]; [specialize (C x y H)|specialize (C y x)]; lra. Qed.

(* For a continuous f it is the Riemann integral of the standard library. *)
Theorem integral_is_riemann f x y I (pr : Riemann_integrable f x y) : x <= y -> continuity f ->
  integral f x y I -> RiemannInt pr = I.
Proof.
  intros Hxy Hf [F [[cF [l HF]] ->]].
  assert (C0 : forall t, x <= t <= y -> continuity_pt f t) by (intros; apply Hf).
  set (P := Reals.RiemannInt.primitive Hxy (FTC_P1 Hxy C0)).
  assert (HP : forall t, x <= t <= y -> derivable_pt_lim P t (f t)) by (intros; apply RiemannInt_P28; auto).
  assert (E : F x - P x = F y - P y).
  { apply (constant_off_points l (fun t => F t - P t) x y Hxy).
    - intros t Ht. apply continuity_pt_minus; [apply cF|].
      apply derivable_continuous_pt. exists (f t). apply HP; auto.
    - intros t Ht Hn. replace 0 with (f t - f t) by ring.
      apply derivable_pt_lim_minus; [apply HF; auto|apply HP; lra]. }
  rewrite (RiemannInt_P20 Hxy (FTC_P1 Hxy C0) pr). fold P. lra. Qed.

(* Every continuous function on the line has a primitive, so it may be integrated here. *)
Definition primitive_on (f : R -> R) (Hf : continuity f) (k : R) : R -> R := match Rle_dec (- k) k with
  | left h => Reals.RiemannInt.primitive h (FTC_P1 h (fun t _ => Hf t)) | right _ => fun _ => 0 end.

Lemma primitive_on_derivable f Hf k t : Rabs t <= k -> derivable_pt_lim (primitive_on f Hf k) t (f t).
Proof.
  intros H. pose proof (Rle_abs t). pose proof (Rle_abs (- t)) as H1. rewrite Rabs_Ropp in H1.
  unfold primitive_on. destruct (Rle_dec (- k) k) as [h|h]; [|lra]. apply RiemannInt_P28. lra. Qed.

Theorem continuous_has_primitive f : continuity f -> has_primitive f.
Proof.
  intros Hf. set (P := primitive_on f Hf). set (F := fun t => P (Rabs t + 1) t - P (Rabs t + 1) 0).
  assert (C : forall k m t, Rabs t <= k -> Rabs t <= m -> P k t - P k 0 = P m t - P m 0).
  { intros k m t Hk Hm.
    assert (Z : forall a b, a <= b -> (forall z, a <= z <= b -> Rabs z <= Rabs t) -> P k a - P m a = P k b - P m b).
    { intros a b Hab Hz. apply (constant_off_points [] (fun z => P k z - P m z) a b Hab).
      - intros z Hzz. specialize (Hz z Hzz). apply continuity_pt_minus; apply derivable_continuous_pt; exists (f z);
          apply primitive_on_derivable; lra.
      - intros z Hzz _. assert (Hz' := Hz z). replace 0 with (f z - f z) by ring.
        apply derivable_pt_lim_minus; apply primitive_on_derivable; lra. }
    destruct (Rle_dec 0 t) as [H|H].
    - specialize (Z 0 t H). rewrite (Rabs_pos_eq t) in Z by lra. enough (P k 0 - P m 0 = P k t - P m t) by lra.
      apply Z. intros z Hz. rewrite Rabs_pos_eq; lra.
    - specialize (Z t 0). rewrite (Rabs_left1 t) in Z by lra. enough (P k t - P m t = P k 0 - P m 0) by lra.
      apply Z; [lra|]. intros z Hz. rewrite Rabs_left1; lra. }
  assert (D : forall t, derivable_pt_lim F t (f t)).
  { intros t. apply (derivable_pt_lim_locally_ext (fun z => P (Rabs t + 2) z - P (Rabs t + 2) 0) F t (t - 1) (t + 1));
      [lra| |].
    - intros z Hz. unfold F. pose proof (Rabs_triang_inv z t) as T.
      assert (Rabs (z - t) <= 1) by (apply Rabs_le; lra).
      apply C; lra.
    - replace (f t) with (f t - 0) by ring.
      apply (derivable_pt_lim_minus (P (Rabs t + 2)) (fct_cte (P (Rabs t + 2) 0)));
        [apply primitive_on_derivable; lra|apply derivable_pt_lim_const]. }
  exists F. split; [|exists []; auto]. intros t. apply derivable_continuous_pt. exists (f t). apply D. Qed.

(* ---- rules ---- *)
Lemma primitive_ext f g F G : (forall t, f t = g t) -> (forall t, F t = G t) -> primitive f F -> primitive g G.
Proof.
  intros Hf HF [cF [l H]]. split.
  - intros t. apply (continuity_pt_locally_ext F G 1 t); [lra|auto|apply cF].
  - exists l. intros t Ht. rewrite <- Hf.
    apply (derivable_pt_lim_locally_ext F G t (t - 1) (t + 1)); [lra|auto|apply H, Ht]. Qed.

Lemma primitive_const_plus f F k : primitive f F -> primitive f (fun t => F t + k).
Proof.
  intros [cF [l H]]. split.
  - intros t. apply (continuity_pt_plus F (fct_cte k)); [apply cF|apply continuity_pt_const; intros ? ?; reflexivity].
  - exists l. intros t Ht. replace (f t) with (f t + 0) by ring.
    apply (derivable_pt_lim_plus F (fct_cte k)); [auto|apply derivable_pt_lim_const]. Qed.

Lemma primitive_plus f g F G : primitive f F -> primitive g G -> primitive (fun t => f t + g t) (fun t => F t + G t).
Proof.
  intros [cF [l HF]] [cG [k HG]]. split.
  - intros t. apply (continuity_pt_plus F G); [apply cF|apply cG].
  - exists (l ++ k). intros t Ht. apply (derivable_pt_lim_plus F G); [apply HF|apply HG];
      intros H; apply Ht, in_or_app; auto. Qed.

Lemma primitive_scal f F q : primitive f F -> primitive (fun t => q * f t) (fun t => q * F t).
Proof.
  intros [cF [l HF]]. split.
  - intros t. apply (continuity_pt_scal F q), cF.
  - exists l. intros t Ht. apply (derivable_pt_lim_scal F q), HF, Ht. Qed.

Lemma primitive_zero : primitive (fun _ => 0) (fun _ => 0).
Proof.
  split; [intros t; apply (continuity_pt_const (fct_cte 0)); intros ? ?; reflexivity|].
  exists []. intros t _. apply (derivable_pt_lim_const 0). Qed.

Lemma primitive_id : primitive (fun t => t) (fun t => t ^ 2 / 2).
Proof.
  assert (D : forall t, derivable_pt_lim (fun t => t ^ 2 / 2) t t).
  { intros t. replace t with (/ 2 * (INR 2 * t ^ pred 2)) at 2 by (simpl; field).
    apply (derivable_pt_lim_locally_ext (mult_real_fct (/ 2) (fun t => t ^ 2)) _ t (t - 1) (t + 1)); [lra| |].
    - intros z _. unfold mult_real_fct. field.
    - apply derivable_pt_lim_scal, derivable_pt_lim_pow. }
  split; [|exists []; auto]. intros t. apply derivable_continuous_pt. exists t. apply D. Qed.

Lemma primitive_shift f F k : primitive f F -> primitive (fun t => f (t + k)) (fun t => F (t + k)).
Proof.
  intros [cF [l HF]].
  assert (Sh : forall t, derivable_pt_lim (fun t => t + k) t 1).
  { intros t. replace 1 with (1 + 0) by ring.
    apply (derivable_pt_lim_plus id (fct_cte k)); [apply derivable_pt_lim_id|apply derivable_pt_lim_const]. }
  split.
  - intros t. apply (continuity_pt_comp (fun t => t + k) F); [|apply cF].
    apply derivable_continuous_pt. exists 1. apply Sh.
  - exists (map (fun t => t - k) l). intros t Ht. replace (f (t + k)) with (f (t + k) * 1) by ring.
    apply (derivable_pt_lim_comp (fun t => t + k) F); [apply Sh|]. apply HF. intros H. apply Ht.
    apply in_map_iff. exists (t + k). split; [ring|exact H]. Qed.

Lemma primitive_Esum {S} (l : list (R * S)) (f F : S -> R -> R) : (forall om, primitive (f om) (F om)) ->
  primitive (fun t => Esum l (fun om => f om t)) (fun t => Esum l (fun om => F om t)).
Proof.
  intros H. induction l as [|[q om] l IH]; simpl; [apply primitive_zero|].
  apply (primitive_plus (fun t => q * f om t) _ (fun t => q * F om t)); [|exact IH].
  apply primitive_scal, H. Qed.

(* two pieces that meet at 0 *)
Lemma primitive_glue f g F G : primitive f F -> primitive g G -> F 0 = G 0 ->
  primitive (fun t => if Rlt_dec t 0 then f t else g t) (fun t => if Rlt_dec t 0 then F t else G t).
Proof.
  intros [cF [l HF]] [cG [k HG]] E0. split.
  - intros t. destruct (Rtotal_order t 0) as [Ht|[Ht|Ht]].
    + apply (continuity_pt_locally_ext F _ (- t) t); [lra| |apply cF].
      intros z Hz. apply Rabs_def2 in Hz. destruct (Rlt_dec z 0); [reflexivity|lra].
    + subst t. intros eps Heps. destruct (cF 0 eps Heps) as [d1 [Hd1 H1]]. destruct (cG 0 eps Heps) as [d2 [Hd2 H2]].
      exists (Rmin d1 d2). split; [apply Rmin_glb_lt; auto|]. intros z [Hz Hd].
      destruct (Rlt_dec 0 0) as [H|_]; [lra|].
      destruct (Rlt_dec z 0).
      * rewrite <- E0. apply H1. split; [exact Hz|]. eapply Rlt_le_trans; [exact Hd|apply Rmin_l].
      * apply H2. split; [exact Hz|]. eapply Rlt_le_trans; [exact Hd|apply Rmin_r].
    + apply (continuity_pt_locally_ext G _ t t); [lra| |apply cG].
      intros z Hz. apply Rabs_def2 in Hz. destruct (Rlt_dec z 0); [lra|reflexivity].
  - exists (0 :: l ++ k). intros t Ht. destruct (Rlt_dec t 0) as [H|H].
    + apply (derivable_pt_lim_locally_ext F _ t (t - 1) 0); [lra| |].
      * intros z Hz. destruct (Rlt_dec z 0); [reflexivity|lra].
      * apply HF. intros Hi. apply Ht. right. apply in_or_app; auto.
    + assert (0 < t) by (destruct (Req_dec t 0) as [->|]; [exfalso; apply Ht; left; reflexivity|lra]).
      apply (derivable_pt_lim_locally_ext G _ t 0 (t + 1)); [lra| |].
      * intros z Hz. destruct (Rlt_dec z 0); [lra|reflexivity].
      * apply HG. intros Hi. apply Ht. right. apply in_or_app; auto. Qed.
