(* Random processes with finitely many outcomes at each step, and expectations of functionals of their paths.

   A process is a tree: [S] is the type of nodes, [step s] lists the children of the node s with their probabilities.
   Nothing is assumed of the node type, so that a node may hold the whole history (or a whole weight vector): the
   process need not be Markov in any of its coordinates, and what comes next may depend on all that has happened.

   [Esum (step s) f]   the expectation of f over the children of s, E[f(s_1) | s_0 = s];
   [wtot]              the total weight of a list of children (1 for a process);
   [EP step n s F]     the expectation of F(s_0, ..., s_n) over the paths of n steps from s_0 = s;
   [chain step l]      the list of nodes l is a path: each is a child of the one before. *)
From Coq Require Import Reals Lra Lia List.
Import ListNotations.
Open Scope R_scope.

Section Proc.
Variable S : Type.
Variable step : S -> list (R * S).          (* weighted children *)

(* The expectation of f over a weighted list of children, and the list's total weight. *)
Fixpoint Esum (l : list (R * S)) (f : S -> R) : R :=
  match l with [] => 0 | (q, s) :: r => q * f s + Esum r f end.
Definition wtot l := Esum l (fun _ => 1).

Hypothesis step_nonneg : forall s q s', In (q, s') (step s) -> 0 <= q.
Hypothesis step_one : forall s, wtot (step s) = 1.

Lemma Esum_le l f g : (forall q s, In (q, s) l -> 0 <= q) -> (forall q s, In (q, s) l -> f s <= g s) ->
  Esum l f <= Esum l g.
Proof. induction l as [|[q s] l IH]; simpl; intros Hq Hfg; [lra|].
  apply Rplus_le_compat; [apply Rmult_le_compat_l; [apply (Hq q s)|apply (Hfg q s)]; auto|].
  apply IH; intros; [eapply Hq|eapply Hfg]; eauto. Qed.
Lemma Esum_plus l f g : Esum l (fun s => f s + g s) = Esum l f + Esum l g.
Proof. induction l as [|[q s] l IH]; simpl; [lra| rewrite IH; ring]. Qed.
Lemma Esum_scal l a f : Esum l (fun s => a * f s) = a * Esum l f.
Proof. induction l as [|[q s] l IH]; simpl; [lra| rewrite IH; ring]. Qed.
Lemma Esum_const l a : Esum l (fun _ => a) = a * wtot l.
Proof. unfold wtot. rewrite <- Esum_scal. induction l as [|[q s] l IH]; simpl; [lra| rewrite IH; ring]. Qed.
Lemma Esum_affine l a b f : Esum l (fun s => a * f s + b) = a * Esum l f + b * wtot l.
Proof. rewrite Esum_plus, Esum_scal, Esum_const. reflexivity. Qed.
Lemma step_le s f g : (forall q s', In (q, s') (step s) -> f s' <= g s') -> Esum (step s) f <= Esum (step s) g.
Proof. intros. apply Esum_le; eauto. Qed.

(* The expectation of a functional of the path s = s_0, ..., s_n. *)
Fixpoint EP (n : nat) (s : S) (F : list S -> R) : R :=
  match n with
  | O => F [s]
  | Datatypes.S m => Esum (step s) (fun s' => EP m s' (fun l => F (s :: l)))
  end.

(* A property of nodes that passes to all children. *)
Definition closed (Inv : S -> Prop) := forall s q s', Inv s -> In (q, s') (step s) -> Inv s'.

Lemma EP_mono Inv n : closed Inv -> forall s F G, Inv s ->
  (forall l, Forall Inv (s :: l) -> length l = n -> F (s :: l) <= G (s :: l)) -> EP n s F <= EP n s G.
Proof.
  intros HI. induction n as [|n IH]; simpl; intros s F G Hs H; [apply H; auto|].
  apply step_le. intros q s' Hin. apply IH; [eapply HI; eauto|].
  intros l Hl Hn. apply H; [constructor; auto|]. simpl; lia. Qed.
Lemma EP_le n s F G : (forall l, length l = n -> F (s :: l) <= G (s :: l)) -> EP n s F <= EP n s G.
Proof. intros H. apply (EP_mono (fun _ => True)); [intros ? ? ? ? ?; auto|auto|auto]. Qed.
Lemma EP_plus n : forall s F G, EP n s (fun l => F l + G l) = EP n s F + EP n s G.
Proof. induction n as [|n IH]; simpl; intros; [auto|]. rewrite <- Esum_plus.
  induction (step s) as [|[q s'] l IHl]; simpl; [auto|]. rewrite IHl, (IH s' (fun l => F (s :: l))). auto. Qed.
Lemma EP_scal n a : forall s F, EP n s (fun l => a * F l) = a * EP n s F.
Proof. induction n as [|n IH]; simpl; intros; [auto|]. rewrite <- Esum_scal.
  induction (step s) as [|[q s'] l IHl]; simpl; [auto|]. rewrite IHl, (IH s' (fun l => F (s :: l))). auto. Qed.
Lemma EP_const n a : forall s, EP n s (fun _ => a) = a.
Proof. induction n as [|n IH]; simpl; intros; [auto|].
  transitivity (Esum (step s) (fun _ => a)).
  - induction (step s) as [|[q s'] l IHl]; simpl; [auto|]. rewrite IHl, IH. auto.
  - rewrite Esum_const, step_one. ring. Qed.
Lemma Esum_ext l f g : (forall q s, In (q, s) l -> f s = g s) -> Esum l f = Esum l g.
Proof. induction l as [|[q s] l IH]; simpl; intros H; auto. rewrite (H q s) by auto.
  rewrite IH; auto. intros; eapply H; eauto. Qed.

Lemma EP_eq n s F G : (forall l, length l = n -> F (s :: l) = G (s :: l)) -> EP n s F = EP n s G.
Proof. intros H. apply Rle_antisym; apply EP_le; intros l Hl; rewrite H by auto; lra. Qed.

(* The paths of the process: every node is a child of the one before it. *)
Fixpoint chain (l : list S) : Prop := match l with
  | [] => True
  | s :: r => match r with [] => True | s' :: _ => (exists q, In (q, s') (step s)) /\ chain r end
  end.

(* To compare two expectations it is enough to compare the functionals on paths of the process. *)
Lemma EP_mono_chain n : forall s F G,
  (forall l, chain (s :: l) -> length l = n -> F (s :: l) <= G (s :: l)) -> EP n s F <= EP n s G.
Proof.
  induction n as [|n IH]; simpl EP; intros s F G H; [apply H; simpl; auto|].
  apply step_le. intros q s' Hin. apply IH. intros l Hl Hn.
  apply H; [|simpl; lia]. split; eauto.
Qed.
End Proc.
Arguments Esum {S}. Arguments EP {S}. Arguments wtot {S}. Arguments closed {S}. Arguments chain {S}.
