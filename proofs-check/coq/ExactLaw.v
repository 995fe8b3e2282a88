(* Statement (E): the exact stationary law of SGD in a two-slope valley.

   The loss has slope b for w >= 0 and -s for w < 0. The noise is independent of the past and takes finitely many
   values omega with weights q (a list of pairs (q, omega)); its mean is zero, |omega| <= nu, nu <= b and nu <= s.
   The law: w = V - eta (b + omega), where V is uniform on [0, M), M = eta (b + s), and independent of omega. So
     E[phi(w)] = sum over (q, omega) of q (1/M) integral_0^M phi(v - eta (b + omega)) dv.
   Proved: this law is stationary, its mean is eta (s - b)/2 whatever the law of the noise, and so is the expected
   average of the first n iterates, for every n, when w_0 has this law. For nu > b it need not be stationary: see the
   end. The test functions phi are those with a primitive in the sense of PiecewiseIntegral.v, so all continuous ones.
   Why it is true: adding M to w where w < 0 gives v - eta (b + omega) mod M, which is uniform on [0, M) again, and
   one step of SGD subtracts eta (b + omega') from it, with fresh noise omega'. *)
From Coq Require Import Reals Lra Lia List.
From Valleys Require Import Process Sgd LongRunMean PiecewiseIntegral.
Import ListNotations.
Open Scope R_scope.

Section Law.
Variables (eta b s : R) (noise : list (R * R)).

Definition slope (w : R) : R := if Rlt_dec w 0 then - s else b.
Definition sgd_step (w : R) : list (R * R) := map (fun qo => (fst qo, w - eta * (slope w + snd qo))) noise.
Definition period : R := eta * (b + s).
(* E[phi(w)] = I for w = V - eta (b + omega) *)
Definition law (phi : R -> R) (I : R) : Prop :=
  integral (fun v => Esum noise (fun om => phi (v - eta * (b + om)))) 0 period (period * I).
(* E[phi(w') | w] for the next iterate w' *)
Definition next (phi : R -> R) (w : R) : R := Esum (sgd_step w) phi.

Hypotheses (Heta : 0 < eta) (Hb : 0 < b) (Hs : 0 < s).
Hypothesis q_one : wtot noise = 1.

Lemma period_pos : 0 < period.
Proof. unfold period. apply Rmult_lt_0_compat; lra. Qed.

Lemma next_eq phi w : next phi w = Esum noise (fun om => phi (w - eta * (slope w + om))).
Proof.
  unfold next, sgd_step. clear q_one. induction noise as [|[q om] l IH]; simpl; [reflexivity|].
  rewrite IH. reflexivity. Qed.

(* E[phi] in terms of a primitive of phi *)
Definition law_value (F : R -> R) : R :=
  Esum noise (fun om => F (period - eta * (b + om)) - F (- (eta * (b + om)))) / period.

Lemma law_of_primitive phi F : primitive phi F -> law phi (law_value F).
Proof.
  intros H. exists (fun v => Esum noise (fun om => F (v + - (eta * (b + om))))). split.
  - apply (primitive_ext (fun v => Esum noise (fun om => phi (v + - (eta * (b + om))))) _
      (fun v => Esum noise (fun om => F (v + - (eta * (b + om)))))); [reflexivity|reflexivity|].
    apply (primitive_Esum noise (fun om v => phi (v + - (eta * (b + om))))
        (fun om v => F (v + - (eta * (b + om))))).
    intros om. apply primitive_shift, H.
  - unfold law_value. pose proof period_pos.
    replace (period * _) with
      (Esum noise (fun om => F (period - eta * (b + om)) - F (- (eta * (b + om))))) by (field; lra).
    transitivity (Esum noise (fun om => F (period - eta * (b + om)) + -1 * F (- (eta * (b + om))))).
    + apply Esum_ext. intros; ring.
    + rewrite Esum_plus, Esum_scal.
      replace (Esum noise (fun om => F (0 + - (eta * (b + om))))) with (Esum noise (fun om => F (- (eta * (b + om)))))
        by (apply Esum_ext; intros; f_equal; ring).
      unfold Rminus. ring. Qed.

(* for a continuous phi the expectation is the usual integral, divided by M *)
Lemma law_is_riemann phi I
  (pr : Riemann_integrable (fun v => Esum noise (fun om => phi (v - eta * (b + om)))) 0 period) :
  continuity phi -> law phi I -> RiemannInt pr / period = I.
Proof.
  intros Hphi H. pose proof period_pos. rewrite (integral_is_riemann _ _ _ (period * I) pr); auto; try lra.
  - field. lra.
  - clear pr H q_one. induction noise as [|[q om] l IH]; simpl.
    + intros v. apply (continuity_pt_const (fct_cte 0)). intros ? ?; reflexivity.
    + apply (continuity_plus (fun v => q * phi (v - eta * (b + om)))); [|exact IH].
      apply (continuity_scal (fun v => phi (v - eta * (b + om)))).
      apply (continuity_comp (fun v => v - eta * (b + om)) phi); [|exact Hphi].
      apply (continuity_minus id (fct_cte (eta * (b + om)))).
      * apply derivable_continuous, derivable_id.
      * intros v. apply continuity_pt_const. intros ? ?; reflexivity. Qed.

(* [law] determines the expectation *)
Lemma law_unique phi I J : law phi I -> law phi J -> I = J.
Proof.
  intros H1 H2. pose proof (integral_unique _ _ _ _ _ H1 H2) as E. pose proof period_pos.
  apply Rmult_eq_reg_l with period; lra. Qed.

(* a primitive of E[phi(w') | w], from one of phi *)
Definition next_const (F : R -> R) : R := Esum noise (fun om => F (eta * (s - om)) - F (- (eta * (b + om)))).
Definition next_primitive (F : R -> R) (w : R) : R :=
  if Rlt_dec w 0 then Esum noise (fun om => F (w + eta * (s - om)))
  else Esum noise (fun om => F (w + - (eta * (b + om)))) + next_const F.

Lemma next_has_primitive phi F : primitive phi F -> primitive (next phi) (next_primitive F).
Proof.
  intros H. unfold next_primitive.
  apply (primitive_ext (fun w => if Rlt_dec w 0 then Esum noise (fun om => phi (w + eta * (s - om)))
    else Esum noise (fun om => phi (w + - (eta * (b + om))))) _
    (fun w => if Rlt_dec w 0 then Esum noise (fun om => F (w + eta * (s - om)))
    else Esum noise (fun om => F (w + - (eta * (b + om)))) + next_const F)); [|reflexivity|].
  - intros w. rewrite next_eq. unfold slope. destruct (Rlt_dec w 0); apply Esum_ext; intros; f_equal; ring.
  - apply primitive_glue.
    + apply (primitive_Esum noise (fun om v => phi (v + eta * (s - om))) (fun om v => F (v + eta * (s - om)))).
      intros om. apply primitive_shift, H.
    + apply primitive_const_plus.
      apply (primitive_Esum noise (fun om v => phi (v + - (eta * (b + om))))
        (fun om v => F (v + - (eta * (b + om))))).
      intros om. apply primitive_shift, H.
    + unfold next_const. rewrite <- Esum_plus. apply Esum_ext. intros.
      replace (0 + eta * (s - s0)) with (eta * (s - s0)) by ring.
      replace (0 + - (eta * (b + s0))) with (- (eta * (b + s0))) by ring. ring. Qed.

Section Stationary.
Variable nu : R.
Hypothesis (noise_nu : forall q om, In (q, om) noise -> Rabs om <= nu) (Hnb : nu <= b) (Hns : nu <= s).

Lemma law_value_next F : law_value (next_primitive F) = law_value F.
Proof.
  unfold law_value. f_equal.
  transitivity (Esum noise (fun _ => next_const F)).
  - apply Esum_ext. intros q om Hin. specialize (noise_nu q om Hin). apply Rabs_between in noise_nu.
    assert (E : period - eta * (b + om) = eta * (s - om)) by (unfold period; ring). rewrite E.
    assert (H1 : 0 <= eta * (s - om)) by (apply Rmult_le_pos; lra).
    assert (H2 : 0 <= eta * (b + om)) by (apply Rmult_le_pos; lra).
    unfold next_primitive. destruct (Rlt_dec (eta * (s - om)) 0); [lra|].
    destruct (Rlt_dec (- (eta * (b + om))) 0) as [Hn|Hn].
    + replace (Esum noise (fun om0 => F (- (eta * (b + om)) + eta * (s - om0))))
        with (Esum noise (fun om0 => F (eta * (s - om) + - (eta * (b + om0))))); [ring|].
      apply Esum_ext. intros; f_equal; ring.
    + assert (E0 : eta * (b + om) = 0) by lra. rewrite E0.
      assert (E1 : eta * (s - om) = period) by (rewrite <- E, E0; ring). rewrite E1.
      unfold next_const.
      transitivity (Esum noise (fun om0 => F (period + - (eta * (b + om0))) + -1 * F (- 0 + - (eta * (b + om0))))).
      * rewrite Esum_plus, Esum_scal. ring.
      * apply Esum_ext. intros q0 om0 _. replace (period + - (eta * (b + om0))) with (eta * (s - om0))
          by (unfold period; ring). replace (- 0 + - (eta * (b + om0))) with (- (eta * (b + om0))) by ring. ring.
  - rewrite Esum_const, q_one, Rmult_1_r. unfold next_const. apply Esum_ext. intros q om _.
    replace (period - eta * (b + om)) with (eta * (s - om)) by (unfold period; ring). reflexivity. Qed.

(* The law is stationary: for every test function phi, E[phi(w)] exists and E[phi(w')] is the same number, where w' is
   the next iterate of SGD from w, with fresh noise. *)
Theorem exact_law_stationary phi : has_primitive phi ->
  exists I, law phi I /\ law (next phi) I.
Proof.
  intros [F H]. exists (law_value F). split; [apply law_of_primitive, H|].
  rewrite <- law_value_next. apply law_of_primitive, next_has_primitive, H. Qed.

(* The same, in words that need no primitive: for every continuous phi. *)
Theorem exact_law_stationary_continuous phi : continuity phi -> exists I, law phi I /\ law (next phi) I.
Proof. intros H. apply exact_law_stationary, continuous_has_primitive, H. Qed.

(* The same for the iterate after n steps: [Nat.iter n next phi] at w_0 is E[phi(w_n) | w_0]. *)
Theorem exact_law_after_n_steps n phi : has_primitive phi -> exists I, law phi I /\ law (Nat.iter n next phi) I.
Proof.
  intros [F H]. exists (law_value F). split; [apply law_of_primitive, H|].
  assert (K : exists G, primitive (Nat.iter n next phi) G /\ law_value G = law_value F).
  { induction n as [|n [G [HG VG]]]; simpl; [exists F; auto|].
    exists (next_primitive G). rewrite law_value_next. split; [apply next_has_primitive, HG|exact VG]. }
  destruct K as [G [HG <-]]. apply law_of_primitive, HG. Qed.

Hypothesis noise_mean : Esum noise (fun om => om) = 0.
Definition exact_mean : R := eta * (s - b) / 2.

(* The mean of the law is eta (s - b)/2, whatever the law of the noise. *)
Theorem exact_law_mean : law (fun w => w) exact_mean.
Proof.
  replace exact_mean with (law_value (fun t => t ^ 2 / 2)); [apply law_of_primitive, primitive_id|].
  unfold law_value, exact_mean. pose proof period_pos as Hp.
  replace (Esum noise _) with (period * (period / 2 - eta * b)).
  { unfold period in *. field. split; [|lra]. apply Rgt_not_eq, Rmult_lt_reg_l with eta; lra. }
  symmetry. transitivity (Esum noise (fun om => - (period * eta) * om + (period ^ 2 / 2 - period * (eta * b)))).
  - apply Esum_ext. intros q om _. field.
  - rewrite Esum_affine, noise_mean, q_one. field. Qed.

Hypothesis q_nonneg : forall q om, In (q, om) noise -> 0 <= q.

(* the iterates are an SGD process in the sense of Theorem 2, with a = b_+ = b, |b_-| = s and c = s/b *)
Theorem exact_law_is_sgd : 0 <= nu -> sgd R sgd_step (fun w => w) slope eta b b s (s / b) nu.
Proof.
  intros Hn. assert (E : s / b * b = s) by (field; lra). split; try lra.
  - intros w q w' Hin. apply in_map_iff in Hin. destruct Hin as [[q0 om] [Eq Hin]]. injection Eq; intros; subst.
    eapply q_nonneg, Hin.
  - intros w. transitivity (next (fun _ => 1) w); [reflexivity|]. rewrite next_eq. exact q_one.
  - intros w q w' Hin. apply in_map_iff in Hin. destruct Hin as [[q0 om] [Eq Hin]]. simpl in Eq.
    injection Eq; intros <- _. replace (w - (w - eta * (slope w + om)) - eta * slope w) with (eta * om) by ring.
    rewrite Rabs_mult, Rabs_pos_eq by lra. apply Rmult_le_compat_l; [lra|]. eapply noise_nu, Hin.
  - intros w. transitivity (next (fun w => w) w); [reflexivity|]. rewrite next_eq.
    transitivity (Esum noise (fun om => - eta * om + (w - eta * slope w))); [apply Esum_ext; intros; ring|].
    rewrite Esum_affine, noise_mean, q_one. ring.
  - intros w Hw. unfold slope. destruct (Rlt_dec w 0); lra.
  - intros w Hw. unfold slope. destruct (Rlt_dec w 0); lra. Qed.

(* So the average of the first n iterates, started from this law, has mean exactly eta (s - b)/2, for every n. *)
Theorem exact_law_average n : law (fun w => EP sgd_step n w (path_sum R (fun w => w))) (INR n * exact_mean).
Proof.
  assert (S1 : forall w, wtot (sgd_step w) = 1).
  { intros w. transitivity (next (fun _ => 1) w); [reflexivity|]. rewrite next_eq. exact q_one. }
  assert (K : exists F, primitive (fun w => EP sgd_step n w (path_sum R (fun w => w))) F /\
    law_value F = INR n * exact_mean).
  { induction n as [|n [F [HF VF]]].
    - exists (fun _ => 0). split; [apply primitive_zero|]. simpl. unfold law_value.
      rewrite Esum_const. unfold Rminus, Rdiv. ring.
    - exists (fun t => t ^ 2 / 2 + next_primitive F t). split.
      + apply (primitive_ext (fun w => w + next (fun w => EP sgd_step n w (path_sum R (fun w => w))) w) _
          (fun t => t ^ 2 / 2 + next_primitive F t)).
        * intros w. rewrite EP_path_sum_S by exact S1. reflexivity.
        * reflexivity.
        * apply primitive_plus; [apply primitive_id|apply next_has_primitive, HF].
      + assert (Lp : forall G H, law_value (fun t => G t + H t) = law_value G + law_value H).
        { intros G H. unfold law_value, Rdiv. rewrite <- Rmult_plus_distr_r, <- Esum_plus. f_equal.
          apply Esum_ext. intros; ring. }
        rewrite (Lp (fun t => t ^ 2 / 2)), law_value_next, VF, S_INR.
        rewrite (law_unique _ _ _ (law_of_primitive _ _ primitive_id) exact_law_mean). ring. }
  destruct K as [F [HF <-]]. apply law_of_primitive, HF. Qed.
End Stationary.
End Law.

(* nu <= b is needed: with noise +-nu, each with probability 1/2, and b < nu <= s the law w = V - eta (b + omega)
   still has mean eta (s - b)/2, but one step of SGD moves the mean by eta (nu - b)/2 > 0. *)
Theorem exact_law_fails_for_large_noise eta b s nu : 0 < eta -> 0 < b -> b < nu <= s ->
  let noise := [(1 / 2, nu); (1 / 2, - nu)] in
  law eta b s noise (fun w => w) (exact_mean eta b s) /\
  law eta b s noise (next eta b s noise (fun w => w)) (exact_mean eta b s + eta * (nu - b) / 2).
Proof.
  intros He Hb Hn noise. assert (Hs : 0 < s) by lra.
  assert (Q : wtot noise = 1) by (unfold wtot; simpl; field).
  split; [apply exact_law_mean; auto; simpl; field|].
  replace (exact_mean eta b s + eta * (nu - b) / 2)
    with (law_value eta b s noise (next_primitive eta b s noise (fun t => t ^ 2 / 2)));
    [apply law_of_primitive; auto; apply next_has_primitive, primitive_id|].
  assert (Hp : 0 < eta * (b + s)) by (apply Rmult_lt_0_compat; lra).
  unfold law_value, next_primitive, next_const, noise, exact_mean, period. simpl.
  destruct (Rlt_dec (eta * (b + s) - eta * (b + nu)) 0) as [H|_]; [nra|].
  destruct (Rlt_dec (- (eta * (b + nu))) 0) as [_|H]; [|nra].
  destruct (Rlt_dec (eta * (b + s) - eta * (b + - nu)) 0) as [H|_]; [nra|].
  destruct (Rlt_dec (- (eta * (b + - nu))) 0) as [H|_]; [nra|].
  field. lra. Qed.
