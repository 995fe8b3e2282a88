(* Vectors with finitely many coordinates over the reals of the standard library.

   A vector is a function from coordinates 0, 1, 2, ... to reals, and a dimension d says how many of them count: the
   inner product and the norm look at the first d only. A function on R^d is a function of such vectors that does
   not look further. Nothing here is special to the paper: finite sums, inner product, norm, Cauchy-Schwarz and the
   triangle inequality, orthonormal families and coordinate axes. *)
From Coq Require Import Reals Lra Lia FunctionalExtensionality.
Open Scope R_scope.

Definition vec := nat -> R.

(* f 0 + ... + f (n-1) *)
Fixpoint rsum (n : nat) (f : nat -> R) : R :=
  match n with O => 0 | S m => rsum m f + f m end.

(* inner product, Euclidean norm, and the operations on vectors *)
Definition dot (d : nat) (u v : vec) : R := rsum d (fun i => u i * v i).
Definition norm (d : nat) (v : vec) : R := sqrt (dot d v v).
Definition vadd (u v : vec) : vec := fun i => u i + v i.
Definition vsub (u v : vec) : vec := fun i => u i - v i.
Definition vscal (a : R) (v : vec) : vec := fun i => a * v i.
Definition vopp (v : vec) : vec := fun i => - v i.
Definition vzero : vec := fun _ => 0.
(* the combination l_0 U_0 + ... + l_(k-1) U_(k-1) *)
Definition vcomb (k : nat) (l : vec) (U : nat -> vec) : vec :=
  fun j => rsum k (fun i => l i * U i j).

Lemma rsum_ext n f g : (forall i, (i < n)%nat -> f i = g i) -> rsum n f = rsum n g.
Proof. induction n as [|n IH]; simpl; intros H; auto.
  rewrite IH; [rewrite H; auto with arith | intros; apply H; lia]. Qed.
Lemma rsum_plus n f g : rsum n (fun i => f i + g i) = rsum n f + rsum n g.
Proof. induction n; simpl; lra. Qed.
Lemma rsum_scal n a f : rsum n (fun i => a * f i) = a * rsum n f.
Proof. induction n as [|n IH]; simpl; [ring| rewrite IH; ring]. Qed.
Lemma rsum_scal_r n a f : rsum n (fun i => f i * a) = rsum n f * a.
Proof. induction n as [|n IH]; simpl; [ring| rewrite IH; ring]. Qed.
Lemma rsum_minus n f g : rsum n (fun i => f i - g i) = rsum n f - rsum n g.
Proof. induction n; simpl; lra. Qed.
Lemma rsum_le n f g : (forall i, (i < n)%nat -> f i <= g i) -> rsum n f <= rsum n g.
Proof. induction n as [|n IH]; simpl; intros H; [lra|].
  apply Rplus_le_compat; [apply IH; intros; apply H; lia | apply H; lia]. Qed.
Lemma rsum_nonneg n f : (forall i, (i < n)%nat -> 0 <= f i) -> 0 <= rsum n f.
Proof. induction n as [|n IH]; simpl; intros H; [lra|].
  apply Rplus_le_le_0_compat; [apply IH; intros; apply H; lia | apply H; lia]. Qed.
Lemma rsum_zero n f : (forall i, (i < n)%nat -> f i = 0) -> rsum n f = 0.
Proof. induction n as [|n IH]; simpl; intros H; [lra|].
  rewrite IH, H by (intros; try apply H; lia). lra. Qed.
Lemma rsum_swap n m (f : nat -> nat -> R) :
  rsum n (fun i => rsum m (fun j => f i j)) = rsum m (fun j => rsum n (fun i => f i j)).
Proof. induction n as [|n IH]; simpl.
  - symmetry; apply rsum_zero; auto.
  - rewrite IH, rsum_plus. reflexivity. Qed.
Lemma rsum_lt n f g i : (i < n)%nat -> (forall j, (j < n)%nat -> f j <= g j) -> f i < g i -> rsum n f < rsum n g.
Proof. induction n as [|n IH]; simpl; intros Hi H Hs; [lia|]. destruct (Nat.eq_dec i n) as [->|Hne].
  - apply Rplus_le_lt_compat; auto. apply rsum_le; intros; apply H; lia.
  - apply Rplus_lt_le_compat; [apply IH; auto; lia | apply H; lia]. Qed.
(* only index i contributes *)
Lemma rsum_single n i f : (i < n)%nat -> (forall j, (j < n)%nat -> j <> i -> f j = 0) -> rsum n f = f i.
Proof. induction n as [|n IH]; intros Hi H; [lia|]. simpl.
  destruct (Nat.eq_dec i n) as [->|Hne].
  - rewrite rsum_zero by (intros; apply H; lia). lra.
  - rewrite IH by (try lia; intros; apply H; lia). rewrite (H n) by lia. lra. Qed.

Lemma dot_comm d u v : dot d u v = dot d v u.
Proof. apply rsum_ext; intros; ring. Qed.
Lemma dot_add_r d u v w : dot d u (vadd v w) = dot d u v + dot d u w.
Proof. unfold dot, vadd. rewrite <- rsum_plus. apply rsum_ext; intros; ring. Qed.
Lemma dot_sub_r d u v w : dot d u (vsub v w) = dot d u v - dot d u w.
Proof. unfold dot, vsub. rewrite <- rsum_minus. apply rsum_ext; intros; ring. Qed.
Lemma dot_scal_r d u a v : dot d u (vscal a v) = a * dot d u v.
Proof. unfold dot, vscal. rewrite <- rsum_scal. apply rsum_ext; intros; ring. Qed.
Lemma dot_opp_r d u v : dot d u (vopp v) = - dot d u v.
Proof. unfold dot, vopp. replace (- rsum d (fun i => u i * v i)) with ((-1) * rsum d (fun i => u i * v i)) by ring.
  rewrite <- rsum_scal. apply rsum_ext; intros; ring. Qed.
Lemma dot_self_nonneg d v : 0 <= dot d v v.
Proof. apply rsum_nonneg; intros. pose proof (Rle_0_sqr (v i)). unfold Rsqr in *. lra. Qed.
Lemma norm_nonneg d v : 0 <= norm d v. Proof. apply sqrt_pos. Qed.
Lemma norm_sq d v : norm d v * norm d v = dot d v v.
Proof. apply sqrt_sqrt, dot_self_nonneg. Qed.

(* Cauchy-Schwarz and the triangle inequality *)
Lemma cauchy_schwarz d u v : dot d u v * dot d u v <= dot d u u * dot d v v.
Proof.
  set (a := dot d u u). set (b := dot d u v). set (c := dot d v v).
  assert (Hc : 0 <= c) by apply dot_self_nonneg.
  assert (Hq : forall t, 0 <= a - 2 * t * b + t * t * c).
  { intros t. pose proof (dot_self_nonneg d (vsub u (vscal t v))) as H.
    rewrite dot_sub_r, dot_scal_r, (dot_comm d _ u), (dot_comm d _ v), !dot_sub_r, !dot_scal_r,
      (dot_comm d v u) in H. fold a b c in H. nra. }
  destruct (Req_dec c 0) as [E|E].
  - (* c = 0 : b must vanish *)
    destruct (Req_dec b 0) as [Eb|Eb]; [rewrite Eb, E; lra|].
    specialize (Hq ((a + 1) / (2 * b))). rewrite E in Hq.
    assert (2 * ((a + 1) / (2 * b)) * b = a + 1) by (field; auto). nra.
  - specialize (Hq (b / c)).
    assert (a - 2 * (b / c) * b + b / c * (b / c) * c = (a * c - b * b) / c) as Hr by (field; auto).
    rewrite Hr in Hq. assert (0 < c) by lra.
    assert ((a * c - b * b) / c * c = a * c - b * b) by (field; auto). nra. Qed.

Lemma norm_triangle d u v : norm d (vadd u v) <= norm d u + norm d v.
Proof.
  pose proof (norm_nonneg d u). pose proof (norm_nonneg d v).
  unfold norm at 1. rewrite <- (sqrt_square (norm d u + norm d v)) by lra.
  apply sqrt_le_1_alt.
  rewrite dot_add_r, (dot_comm d _ u), (dot_comm d _ v), !dot_add_r, (dot_comm d v u).
  pose proof (norm_sq d u). pose proof (norm_sq d v). pose proof (cauchy_schwarz d u v) as CS.
  assert (dot d u v <= norm d u * norm d v).
  { destruct (Rle_or_lt (dot d u v) 0); [nra|].
    rewrite <- H1, <- H2 in CS.
    apply Rsqr_incr_0_var; [unfold Rsqr; nra| nra]. }
  nra. Qed.
Lemma norm_opp d v : norm d (vopp v) = norm d v.
Proof. unfold norm. f_equal. unfold dot, vopp. apply rsum_ext; intros; ring. Qed.

(* orthonormal families *)
Definition orthonormal (d k : nat) (U : nat -> vec) : Prop :=
  forall i j, (i < k)%nat -> (j < k)%nat -> dot d (U i) (U j) = if Nat.eq_dec i j then 1 else 0.

Lemma vcomb_S m l U : vcomb (S m) l U = vadd (vcomb m l U) (vscal (l m) (U m)).
Proof. reflexivity. Qed.
Lemma vcomb_dot d k l U i m : orthonormal d k U -> (m <= k)%nat -> (i < k)%nat ->
  dot d (U i) (vcomb m l U) = if lt_dec i m then l i else 0.
Proof.
  intros HO. induction m as [|m IH]; intros Hm Hi.
  - destruct (lt_dec i 0); [lia|]. unfold vcomb; simpl. apply rsum_zero; intros; ring.
  - rewrite vcomb_S, dot_add_r, dot_scal_r, IH, HO by lia.
    destruct (lt_dec i m), (lt_dec i (S m)), (Nat.eq_dec i m); subst; try lia; ring.
Qed.
Lemma vcomb_dot_self d k l U m : orthonormal d k U -> (m <= k)%nat ->
  dot d (vcomb m l U) (vcomb m l U) = rsum m (fun i => l i * l i).
Proof.
  intros HO Hm. induction m as [|m IH].
  - apply rsum_zero; intros; unfold vcomb; simpl; ring.
  - rewrite vcomb_S, dot_add_r, dot_scal_r, !(dot_comm d _ (vcomb m l U)), (dot_comm d _ (U m)).
    rewrite !dot_add_r, !dot_scal_r, IH, (dot_comm d _ (U m)), (vcomb_dot d k), HO by (auto; lia).
    simpl. destruct (lt_dec m m), (Nat.eq_dec m m); try lia. ring.
Qed.
(* part of an orthonormal combination is no longer than the whole *)
Lemma vcomb_norm d k l U m : orthonormal d k U -> (m <= k)%nat -> norm d (vcomb m l U) <= norm k l.
Proof.
  intros HO Hm. unfold norm. apply sqrt_le_1_alt. rewrite (vcomb_dot_self d k) by auto. clear HO.
  unfold dot. induction Hm as [|k Hm IH]; [lra|]. simpl. assert (0 <= l k * l k) by nra. lra.
Qed.

(* coordinate axes *)
Definition basis (m : nat) : vec := fun q => if Nat.eq_dec q m then 1 else 0.
Lemma dot_basis d m v : (m < d)%nat -> dot d v (basis m) = v m.
Proof. intros H. unfold dot. rewrite (rsum_single d m); auto.
  - unfold basis. destruct (Nat.eq_dec m m); [ring|lia].
  - intros j Hj Hne. unfold basis. destruct (Nat.eq_dec j m); [lia|ring]. Qed.
Lemma basis_orthonormal d k (axis : nat -> nat) : (forall i, (i < k)%nat -> (axis i < d)%nat) ->
  (forall i j, (i < k)%nat -> (j < k)%nat -> axis i = axis j -> i = j) -> orthonormal d k (fun i => basis (axis i)).
Proof. intros Ha Hinj i j Hi Hj. rewrite dot_basis by auto. unfold basis.
  destruct (Nat.eq_dec (axis j) (axis i)) as [E|E], (Nat.eq_dec i j) as [F|F]; auto.
  - destruct F; auto.
  - destruct E; subst; auto. Qed.
