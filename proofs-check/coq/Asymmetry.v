(* Definition 1, asymmetric directions, in the form the paper prints and in the integrated form that proofs use.

   u is a unit vector, w a point, F a loss. Along +u the slope of F is below p, and along -u the loss rises faster
   than c p, on the open window (rlo, rhi); the paper writes r with a bar below and above. The window leaves out the
   middle (-rlo, rlo), where F is free. Proved here: the printed form implies the integrated form on the closed
   window, with strict inequalities, if F is continuous along the two half-lines up to the window's ends. *)
From Coq Require Import Reals Lra Lia FunctionalExtensionality Ranalysis5.
From Valleys Require Import Vectors.
Open Scope R_scope.

(* Definition 1: gp t and gm t are the derivatives at distance t along +u and along -u *)
Definition asym (d : nat) (rlo rhi p c : R) (u w : vec) (F : vec -> R) : Prop :=
  dot d u u = 1 /\
  exists gp gm : R -> R, forall t, rlo < t < rhi ->
    derivable_pt_lim (fun s => F (vadd w (vscal s u))) t (gp t) /\ gp t < p /\
    derivable_pt_lim (fun s => F (vsub w (vscal s u))) t (gm t) /\ c * p < gm t.

(* Definition 2: a point with at least one asymmetric direction *)
Definition asymmetric_valley (d : nat) (rlo rhi p c : R) (w : vec) (F : vec -> R) : Prop :=
  exists u, asym d rlo rhi p c u w F.

(* the integrated form, on the closed window *)
Definition iasym (rlo rhi p c : R) (u w : vec) (F : vec -> R) : Prop :=
  forall s t, rlo <= s -> s <= t -> t <= rhi ->
    F (vadd w (vscal t u)) - F (vadd w (vscal s u)) <= p * (t - s) /\
    c * p * (t - s) <= F (vsub w (vscal t u)) - F (vsub w (vscal s u)).

(* the same with strict inequalities *)
Definition siasym (rlo rhi p c : R) (u w : vec) (F : vec -> R) : Prop :=
  forall s t, rlo <= s -> s < t -> t <= rhi ->
    F (vadd w (vscal t u)) - F (vadd w (vscal s u)) < p * (t - s) /\
    c * p * (t - s) < F (vsub w (vscal t u)) - F (vsub w (vscal s u)).

(* F is continuous along the two half-lines, the window's ends included *)
Definition line_cont (rlo rhi : R) (u w : vec) (F : vec -> R) : Prop :=
  forall t, rlo <= t <= rhi ->
    continuity_pt (fun s => F (vadd w (vscal s u))) t /\
    continuity_pt (fun s => F (vsub w (vscal s u))) t.

(* mean value theorem: differentiable inside, continuous at the ends *)
Lemma mvt_open (f f' : R -> R) a b :
  a < b -> (forall t, a < t < b -> derivable_pt_lim f t (f' t)) ->
  (forall t, a <= t <= b -> continuity_pt f t) ->
  exists t, a < t < b /\ f b - f a = f' t * (b - a).
Proof.
  intros Hab Hd Hc.
  pose (pr1 := fun t (Ht : a < t < b) => exist (fun g => derivable_pt_lim f t g) (f' t) (Hd t Ht) : derivable_pt f t).
  pose (pr2 := fun t (_ : a < t < b) => derivable_pt_id t).
  destruct (MVT f id a b pr1 pr2 Hab Hc) as (t & P & H).
  { intros; apply derivable_continuous_pt, derivable_pt_id. }
  exists t. split; [exact P|].
  unfold pr1, pr2 in H. rewrite derive_pt_id in H. unfold id in H. simpl in H. lra.
Qed.

(* Definition 1 with continuity up to the window's ends implies the strict integrated form. *)
Theorem definition1_integrated_strict d rlo rhi p c u w F :
  asym d rlo rhi p c u w F -> line_cont rlo rhi u w F -> siasym rlo rhi p c u w F.
Proof.
  intros [_ (gp & gm & H)] Hc s t Hs Hst Ht.
  destruct (mvt_open (fun s => F (vadd w (vscal s u))) gp s t Hst) as (x & Hx & E1).
  { intros y Hy. apply (H y); lra. } { intros y Hy; apply Hc; lra. }
  destruct (mvt_open (fun s => F (vsub w (vscal s u))) gm s t Hst) as (y & Hy & E2).
  { intros z Hz. apply (H z); lra. } { intros z Hz; apply Hc; lra. }
  destruct (H x) as (_ & Hp & _); [lra|]. destruct (H y) as (_ & _ & _ & Hm); [lra|].
  cbv beta in E1, E2. rewrite E1, E2. split; nra.
Qed.

Lemma siasym_iasym rlo rhi p c u w F : siasym rlo rhi p c u w F -> iasym rlo rhi p c u w F.
Proof.
  intros H s t Hs Hst Ht. destruct (Req_dec s t) as [->|N]; [split; lra|].
  destruct (H s t) as [A B]; lra.
Qed.

(* Definition 1 with continuity up to the window's ends implies the integrated form. *)
Theorem definition1_integrated d rlo rhi p c u w F :
  asym d rlo rhi p c u w F -> line_cont rlo rhi u w F -> iasym rlo rhi p c u w F.
Proof. intros. eapply siasym_iasym, definition1_integrated_strict; eauto. Qed.
